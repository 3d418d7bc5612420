import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';

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
