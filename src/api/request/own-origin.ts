import { isIP } from 'node:net';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';

/**
 * The origin that browsers know this server by: of HUTCH_PUBLIC_URL or, without it, localhost
 * as the request names it. Throws conflict elsewhere: a Host header proves nothing.
 */
export function ownOrigin({ publicUrl }: Deps['config'], request: Request): string {
  if (publicUrl !== '') return publicUrl;
  const host = request.headers.get('host') ?? '';
  if (/^localhost(:\d{1,5})?$/.test(host)) return `http://${host}`;
  throw new AppError('conflict', 'This needs HUTCH_PUBLIC_URL, or http://localhost');
}

/**
 * The own origin, for passkeys. Throws conflict as `ownOrigin`, and for an IP address, to which
 * browsers bind no passkey (WebAuthn 5.1.3: a valid domain).
 */
export function passkeyOrigin(config: Deps['config'], request: Request): string {
  const origin = ownOrigin(config, request);
  if (!isIP(new URL(origin).hostname.replace(/^\[|\]$/g, ''))) return origin;
  const message = 'Passkeys need a domain name: HUTCH_PUBLIC_URL is an IP address';
  throw new AppError('conflict', message);
}
