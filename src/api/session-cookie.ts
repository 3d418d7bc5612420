import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import { isLoopbackHost } from '../utils/loopback.ts';

/** How a client wants to carry its session: in the body, or as a cookie. */
export type Transport = 'bearer' | 'cookie';

interface Opened<A> {
  token: string;
  account: A;
}

interface Answer {
  headers: Record<string, string | number>;
}

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A session token; a personal access token is longer, and none for a browser. */
const SESSION_TOKEN = /^[\w-]{43}$/;

export type SessionCookie = ReturnType<typeof createSessionCookie>;

/**
 * Sessions in a cookie, for browsers. It is `__Host-hutch` behind an https public URL, and
 * `hutch_session`, not Secure, on plain http between a browser and a server on one machine.
 */
export const createSessionCookie = ({ config }: Pick<Deps, 'config'>) => {
  const isSecure = config.publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-hutch' : 'hutch_session';
  const write = (token: string, maxAgeSeconds: number) =>
    `${name}=${token}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  const read = (request: Request): string | undefined => {
    const token = cookieValue(request.headers.get('cookie'), name);
    return token !== undefined && SESSION_TOKEN.test(token) ? token : undefined;
  };
  return {
    /** The session token of a request's cookie; undefined when there is none. */
    read,

    /**
     * Before a session is opened: throws validation_failed where a cookie would be sent in the
     * clear, and csrf_refused for another site's page. Gives the token of the session that the
     * new one takes the place of in this browser.
     */
    admit: (transport: Transport | undefined, request: Request): string | undefined => {
      if (transport !== 'cookie') return undefined;
      if (!isSecure && !isOnOneMachine(config, request)) throw insecure();
      refuseCrossSite(config.publicUrl, request);
      return read(request);
    },

    /** The answer to who opened a session: with its token, or that as a cookie. */
    deliver: <A extends { role: string }>(
      { token, account }: Opened<A>,
      transport: Transport | undefined,
      { headers }: Answer,
    ) => {
      if (transport !== 'cookie') return { token, token_type: 'bearer' as const, account };
      headers['set-cookie'] = write(token, lifeSeconds(config, account.role));
      return { token_type: 'cookie' as const, account };
    },

    /** Throws csrf_refused when what a cookie authenticates may be another site's doing. */
    check: (request: Request): void => {
      if (!SAFE_METHODS.has(request.method)) refuseCrossSite(config.publicUrl, request);
    },

    /** Has the browser forget its cookie, where it sent one. */
    clear: (request: Request, { headers }: Answer): void => {
      if (cookieValue(request.headers.get('cookie'), name) === undefined) return;
      headers['set-cookie'] = write('', 0);
    },
  };
};

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

function isOnOneMachine({ publicUrl, host }: Deps['config'], request: Request): boolean {
  if (publicUrl !== '') return isLoopbackHost(new URL(publicUrl).host);
  const listensOn = host.includes(':') ? `[${host}]` : host;
  return isLoopbackHost(listensOn) && isLoopbackHost(hostOf(request));
}

/** The browser's own word for whose page asks; from an old one, the origin of that page. */
function refuseCrossSite(publicUrl: string, request: Request): void {
  const site = request.headers.get('sec-fetch-site');
  const own = publicUrl || `http://${hostOf(request)}`;
  const isOwn =
    site === null
      ? request.headers.get('origin') === own
      : site === 'same-origin' || site === 'none';
  if (isOwn) return;
  throw new AppError('csrf_refused', 'A cookie counts only for pages of this server itself');
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

function lifeSeconds(config: Deps['config'], role: string): number {
  return role === 'admin'
    ? config.adminSessionHours * HOUR_SECONDS
    : config.sessionDays * DAY_SECONDS;
}

function insecure(): AppError {
  const msg = 'A cookie needs an https HUTCH_PUBLIC_URL, or a server on this machine';
  const problems = [{ type: 'value_error', loc: ['body', 'transport'], msg }];
  return new AppError('validation_failed', msg, { problems });
}
