import type { Config } from '../../core/config/config.ts';
import { isLoopbackHost } from '../../utils/http/loopback.ts';

/** The headers of an answer, to which cookies are added. */
export interface Answer {
  headers: Record<string, string | number>;
}

/** The names of a cookie behind https and on plain http. */
interface Names {
  secure: string;
  plain: string;
}

/**
 * A cookie that no script reads, Secure where the URL of this server is https. Browsers send it from
 * pages of the same site (SameSite=Lax). A page of another site that is in HUTCH_CORS_ORIGINS gets a
 * cookie that is sent from below its own site alone (SameSite=None; Secure; Partitioned).
 */
export function createCookie(config: Config, names: Names) {
  const isSecure = config.publicUrl.startsWith('https:');
  const name = isSecure ? names.secure : names.plain;
  return {
    /** Its value in a request, the first of its name. */
    read: (request: Request): string | undefined =>
      cookieValue(request.headers.get('cookie'), name),

    /** Whether it would go to this client by https or without leaving the machine. */
    isSafe: (request: Request): boolean => isSecure || isOnOneMachine(config, request),

    /** Adds it to the response to a request. An age of 0 has the browser forget it. */
    set: ({ headers }: Answer, request: Request, value: string, maxAgeSeconds: number): void => {
      const lax = isSecure ? 'SameSite=Lax; Secure' : 'SameSite=Lax';
      const site = isAcrossSites(config, request) ? 'SameSite=None; Secure; Partitioned' : lax;
      const text = `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; ${site}`;
      const known = headers['set-cookie'] as unknown as string[] | undefined;
      const others = known?.filter((it) => !it.startsWith(`${name}=`)) ?? [];
      // A list gives a header each; Elysia's type of headers knows no lists.
      headers['set-cookie'] = [...others, text] as unknown as string;
    },
  };
}

/**
 * Whether a page that may use cookies sends the request, by what the browser says: a page of this
 * server or, by a script of its own, one of HUTCH_CORS_ORIGINS.
 */
export function isFromTrustedPage(config: Config, request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site === 'same-origin' || site === 'none') return true;
  if (isFromListedOrigin(config, request)) return true;
  // Old browsers send the origin of the page alone.
  return site === null && request.headers.get('origin') === ownOrigin(config.publicUrl, request);
}

/**
 * Whether a request that only reads may use a cookie. Without HUTCH_CORS_ORIGINS all may, for no cookie
 * is sent across sites; with them, trusted pages and links that are followed.
 */
export function mayRead(config: Config, request: Request): boolean {
  if (config.corsOrigins.length === 0) return true;
  const { headers } = request;
  if (!headers.has('sec-fetch-site') || headers.get('sec-fetch-mode') === 'navigate') return true;
  return isFromTrustedPage(config, request);
}

/** A form of a listed page is no script of it: it needs no preflight, and anyone can make one. */
function isFromListedOrigin({ corsOrigins }: Config, { headers }: Request): boolean {
  const origin = headers.get('origin');
  if (origin === null || !corsOrigins.includes(origin)) return false;
  const site = headers.get('sec-fetch-site') ?? 'cross-site';
  const mode = headers.get('sec-fetch-mode') ?? 'cors';
  return (site === 'same-site' || site === 'cross-site') && mode === 'cors';
}

/** An old browser does not say which sites are the same. */
function isAcrossSites(config: Config, request: Request): boolean {
  const site = request.headers.get('sec-fetch-site') ?? 'cross-site';
  return site === 'cross-site' && isFromListedOrigin(config, request);
}

function ownOrigin(publicUrl: string, request: Request): string {
  return publicUrl || `http://${hostOf(request)}`;
}

/** Read by hand, the first of its name: Elysia's cookies would cost every route. */
function cookieValue(header: string | null, name: string): string | undefined {
  if (header === null) return undefined;
  for (const pair of header.split(';')) {
    const text = pair.trimStart();
    if (text.startsWith(name) && text[name.length] === '=') {
      return text.slice(name.length + 1).trimEnd();
    }
  }
  return undefined;
}

function isOnOneMachine({ publicUrl, host }: Config, request: Request): boolean {
  if (publicUrl !== '') return isLoopbackHost(new URL(publicUrl).host);
  const listensOn = host.includes(':') ? `[${host}]` : host;
  return isLoopbackHost(listensOn) && isLoopbackHost(hostOf(request));
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}
