import type { Config } from '../../core/config/config.ts';
import { AppError } from '../../core/exceptions.ts';
import { isLoopbackHost } from '../../utils/http/loopback.ts';
import type { ResponseSet } from '../responses/response-set.ts';

/** The form in which a client receives its session: in the body, or as a cookie. */
export type Transport = 'bearer' | 'cookie';

interface OpenedSession<A> {
  token: string;
  account: A;
  device_token: string;
}

interface Exchange {
  request: Request;
  set: ResponseSet;
}

interface CookieConfig {
  config: Config;
}

/** The names of a cookie behind https and on plain http. */
interface Names {
  secure: string;
  plain: string;
}

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A session token. A personal access token is longer and is not accepted in a cookie. */
const SESSION_TOKEN = /^[\w-]{43}$/;

/** Accounts whose device tokens one browser stores; the most recent sign-in is first. */
const MAX_DEVICE_ACCOUNTS = 4;
/** The lifetime of a device token. */
const DEVICE_LIFE_SECONDS = 365 * DAY_SECONDS;
const DEVICE_SEPARATOR = '~';
/** Anything else is dropped when the cookie is written again. */
const DEVICE_TOKEN = /^\d{1,15}(\.[\w-]{1,64}){2}$/;

export type SessionCookie = ReturnType<typeof createSessionCookie>;

/**
 * Sessions in a cookie, for browsers. It is `__Host-hutch` behind an https public URL, and
 * `hutch_session`, not Secure, on plain http between a browser and a server on one machine.
 */
export const createSessionCookie = ({ config }: CookieConfig) => {
  const cookie = createCookie(config, { secure: '__Host-hutch', plain: 'hutch_session' });
  const device = createDeviceCookie({ config });
  const read = (request: Request): string | undefined => {
    const token = cookie.read(request);
    return token !== undefined && SESSION_TOKEN.test(token) ? token : undefined;
  };
  return {
    /** Returns the session token of a request's cookie; undefined if there is none. */
    read,

    /**
     * Checks a request before it opens a session. Returns the token of the session that the new one
     * replaces in this browser. Throws validation_failed if the cookie would be sent in the clear,
     * and csrf_refused for a page that is not trusted.
     */
    admit: (transport: Transport | undefined, request: Request): string | undefined => {
      if (transport !== 'cookie') return undefined;
      if (!cookie.isSafe(request)) throw insecure();
      refuseUntrusted(isFromTrustedPage(config, request));
      return read(request);
    },

    /** Returns the body for a new session: with its token and a device token, unless cookies carry both. */
    deliver: <A extends { role: string }>(
      { token, account, device_token }: OpenedSession<A>,
      transport: Transport | undefined,
      { request, set }: Exchange,
    ) => {
      if (transport !== 'cookie') {
        return { token, token_type: 'bearer' as const, account, device_token };
      }
      cookie.set(set, request, token, lifeSeconds(config, account.role));
      device.store(device_token, request, set);
      return { token_type: 'cookie' as const, account };
    },

    /** Throws csrf_refused if another site may have caused a request that a cookie authenticates. */
    check: (request: Request): void => {
      const isRead = SAFE_METHODS.has(request.method);
      refuseUntrusted(isRead ? mayRead(config, request) : isFromTrustedPage(config, request));
    },

    /** Deletes the cookie in the browser, if it sent one. */
    clear: (request: Request, set: ResponseSet): void => {
      if (cookie.read(request) !== undefined) cookie.set(set, request, '', 0);
    },
  };
};

/**
 * The device tokens of a browser, one for each of its latest accounts: `__Host-hutch-device`
 * behind an https public URL, otherwise `hutch_device`. It outlives the session.
 */
export const createDeviceCookie = ({ config }: CookieConfig) => {
  const cookie = createCookie(config, { secure: '__Host-hutch-device', plain: 'hutch_device' });
  const read = (request: Request): string[] => {
    const tokens = cookie.read(request)?.split(DEVICE_SEPARATOR).slice(0, MAX_DEVICE_ACCOUNTS);
    return tokens?.filter((token) => DEVICE_TOKEN.test(token)) ?? [];
  };
  return {
    /** Returns the device tokens of a request's cookie. */
    read,

    /**
     * Adds a device token to those of the browser. Does nothing if the cookie would be sent in the
     * clear, or for an untrusted page, which could push out the tokens of other accounts.
     */
    store: (token: string, request: Request, set: ResponseSet): void => {
      if (!cookie.isSafe(request) || !isFromTrustedPage(config, request)) return;
      const others = read(request).filter((other) => accountOf(other) !== accountOf(token));
      const tokens = [token, ...others].slice(0, MAX_DEVICE_ACCOUNTS);
      cookie.set(set, request, tokens.join(DEVICE_SEPARATOR), DEVICE_LIFE_SECONDS);
    },
  };
};

/** Returns a reader of the tokens by which a request shows that an account knows its device or session. */
export const createProofs = ({ config }: CookieConfig) => {
  const cookie = createSessionCookie({ config });
  const device = createDeviceCookie({ config });
  return (request: Request, device_token?: string): string[] => {
    const bearer = request.headers.get('authorization')?.match(/^bearer +([\w-]{43})$/i)?.[1];
    const proofs = [device_token, ...device.read(request), cookie.read(request), bearer];
    return proofs.filter((it) => it !== undefined);
  };
};

/**
 * A cookie that scripts cannot read, Secure if the URL of this server is https. Browsers send it from
 * pages of the same site (SameSite=Lax). A page of another site that is in HUTCH_CORS_ORIGINS gets a
 * cookie that is sent only from below its own site (SameSite=None; Secure; Partitioned).
 */
function createCookie(config: Config, names: Names) {
  const isSecure = config.publicUrl.startsWith('https:');
  const name = isSecure ? names.secure : names.plain;
  return {
    /** Returns its value in a request: the first, if there are several. */
    read: ({ headers }: Request): string | undefined => {
      const header = headers.get('cookie');
      return header === null ? undefined : (new Bun.CookieMap(header).get(name) ?? undefined);
    },

    /** True if it would reach this client over https or without leaving the machine. */
    isSafe: (request: Request): boolean => isSecure || isOnOneMachine(config, request),

    /** Adds it to the response to a request. An age of 0 deletes it in the browser. */
    set: ({ headers }: ResponseSet, request: Request, value: string, maxAge: number): void => {
      const partitioned = isAcrossSites(config, request);
      const cookie = new Bun.Cookie(name, value, {
        path: '/',
        maxAge,
        httpOnly: true,
        secure: isSecure || partitioned,
        sameSite: partitioned ? 'none' : 'lax',
        partitioned,
      });
      const earlier = headers['set-cookie'] as unknown as string[] | undefined;
      const others = earlier?.filter((it) => !it.startsWith(`${name}=`)) ?? [];
      // Each entry becomes a separate header; Elysia's type does not allow lists.
      headers['set-cookie'] = [...others, cookie.toString()] as unknown as string;
    },
  };
}

/**
 * True if the browser reports that a page that may use cookies sent the request: a page of this
 * server or, by a script, one of HUTCH_CORS_ORIGINS.
 */
function isFromTrustedPage(config: Config, request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site === 'same-origin' || site === 'none') return true;
  if (isFromListedOrigin(config, request)) return true;
  // Old browsers send only the origin of the page.
  return site === null && request.headers.get('origin') === pageOrigin(config.publicUrl, request);
}

/**
 * True if a request that only reads may use a cookie. Without HUTCH_CORS_ORIGINS every request may,
 * because no cookie is sent across sites; with them, trusted pages and followed links may.
 */
function mayRead(config: Config, request: Request): boolean {
  if (config.corsOrigins.length === 0) return true;
  const { headers } = request;
  if (!headers.has('sec-fetch-site') || headers.get('sec-fetch-mode') === 'navigate') return true;
  return isFromTrustedPage(config, request);
}

/** A form on a listed page does not count: it needs no preflight, and anyone can build one. */
function isFromListedOrigin({ corsOrigins }: Config, { headers }: Request): boolean {
  const origin = headers.get('origin');
  if (origin === null || !corsOrigins.includes(origin)) return false;
  const site = headers.get('sec-fetch-site') ?? 'cross-site';
  const mode = headers.get('sec-fetch-mode') ?? 'cors';
  return (site === 'same-site' || site === 'cross-site') && mode === 'cors';
}

/** Old browsers do not say whether two sites are the same. */
function isAcrossSites(config: Config, request: Request): boolean {
  const site = request.headers.get('sec-fetch-site') ?? 'cross-site';
  return site === 'cross-site' && isFromListedOrigin(config, request);
}

function pageOrigin(publicUrl: string, request: Request): string {
  return publicUrl || `http://${hostOf(request)}`;
}

function isOnOneMachine({ publicUrl, host }: Config, request: Request): boolean {
  if (publicUrl !== '') return isLoopbackHost(new URL(publicUrl).host);
  const listensOn = host.includes(':') ? `[${host}]` : host;
  return isLoopbackHost(listensOn) && isLoopbackHost(hostOf(request));
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

/** A device token begins with the id of its account. */
function accountOf(token: string): string {
  return token.slice(0, token.indexOf('.'));
}

function lifeSeconds(config: Config, role: string): number {
  return role === 'admin'
    ? config.adminSessionHours * HOUR_SECONDS
    : config.sessionDays * DAY_SECONDS;
}

function refuseUntrusted(isTrusted: boolean): void {
  if (isTrusted) return;
  const text = 'A cookie is accepted only from pages of this server and of HUTCH_CORS_ORIGINS';
  throw new AppError('csrf_refused', text);
}

function insecure(): AppError {
  const msg = 'A cookie needs an https HUTCH_PUBLIC_URL, or a server on this machine';
  const problems = [{ type: 'value_error', loc: ['body', 'transport'], msg }];
  return new AppError('validation_failed', msg, { problems });
}
