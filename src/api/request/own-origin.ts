import { isIP } from 'node:net';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';

/** The page that finishes a sign-in with a provider, by default. */
const DEFAULT_PATH = '/sign-in';

/**
 * Returns the origin by which browsers know this server: that of HUTCH_PUBLIC_URL or, without it,
 * localhost as the request names it. Throws conflict for any other host: a Host header proves nothing.
 */
function ownOrigin({ publicUrl }: Deps['config'], request: Request): string {
  if (publicUrl !== '') return publicUrl;
  const host = request.headers.get('host') ?? '';
  if (/^localhost(:\d{1,5})?$/.test(host)) return `http://${host}`;
  throw new AppError('conflict', 'This needs HUTCH_PUBLIC_URL, or http://localhost');
}

/**
 * Returns the origin of this server for passkeys. Throws conflict as `ownOrigin` does, and for an IP
 * address: browsers bind passkeys to domains only (WebAuthn 5.1.3).
 */
export function passkeyOrigin(config: Deps['config'], request: Request): string {
  const origin = ownOrigin(config, request);
  if (!isIP(new URL(origin).hostname.replace(/^\[|\]$/g, ''))) return origin;
  const message = 'Passkeys need a domain name: HUTCH_PUBLIC_URL is an IP address';
  throw new AppError('conflict', message);
}

/**
 * Returns the page to which a provider sends the browser back, and the origin of this server. Throws
 * validation_failed for a page that is neither on this server nor on one of HUTCH_CORS_ORIGINS: the
 * code that arrives there opens a session. Throws conflict as `ownOrigin` does.
 */
export function returnTo(config: Deps['config'], request: Request, page: string | undefined) {
  const origin = ownOrigin(config, request);
  const redirect_uri = page ?? `${origin}${DEFAULT_PATH}`;
  const url = URL.parse(redirect_uri);
  const isListed = url?.origin === origin || config.corsOrigins.includes(url?.origin ?? '');
  if (!url || !isListed || url.username || url.password || url.hash) throw foreign();
  return { origin, redirect_uri };
}

function foreign(): AppError {
  const msg = 'Must be a page of this server or of one of HUTCH_CORS_ORIGINS';
  const problems = [{ type: 'value_error', loc: ['body', 'redirect_uri'], msg }];
  return new AppError('validation_failed', 'The request is not valid', { problems });
}
