import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Answer, createCookie, isFromTrustedPage, mayRead } from './cookie.ts';
import { createDeviceCookie } from './device-cookie.ts';

/** How a client wants to carry its session: in the body, or as a cookie. */
export type Transport = 'bearer' | 'cookie';

interface Opened<A> {
  token: string;
  account: A;
  device_token: string;
}

/** The request that is answered, and its answer. */
interface Exchange {
  request: Request;
  set: Answer;
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
  const cookie = createCookie(config, { secure: '__Host-hutch', plain: 'hutch_session' });
  const device = createDeviceCookie({ config });
  const read = (request: Request): string | undefined => {
    const token = cookie.read(request);
    return token !== undefined && SESSION_TOKEN.test(token) ? token : undefined;
  };
  return {
    /** The session token of a request's cookie; undefined when there is none. */
    read,

    /**
     * Before a session is opened: throws validation_failed where a cookie would be sent in the
     * clear, and csrf_refused for pages that are not trusted. Returns the token of the session that the
     * new one takes the place of in this browser.
     */
    admit: (transport: Transport | undefined, request: Request): string | undefined => {
      if (transport !== 'cookie') return undefined;
      if (!cookie.isSafe(request)) throw insecure();
      refuseUntrusted(isFromTrustedPage(config, request));
      return read(request);
    },

    /**
     * The answer to whoever opened a session: with its token and a device token, or with both
     * as cookies.
     */
    deliver: <A extends { role: string }>(
      { token, account, device_token }: Opened<A>,
      transport: Transport | undefined,
      { request, set }: Exchange,
    ) => {
      if (transport !== 'cookie') {
        return { token, token_type: 'bearer' as const, account, device_token };
      }
      cookie.set(set, request, token, lifeSeconds(config, account.role));
      device.keep(device_token, request, set);
      return { token_type: 'cookie' as const, account };
    },

    /** Throws csrf_refused when what a cookie authenticates may be another site's doing. */
    check: (request: Request): void => {
      const isRead = SAFE_METHODS.has(request.method);
      refuseUntrusted(isRead ? mayRead(config, request) : isFromTrustedPage(config, request));
    },

    /** Has the browser forget its cookie, where it sent one. */
    clear: (request: Request, set: Answer): void => {
      if (cookie.read(request) !== undefined) cookie.set(set, request, '', 0);
    },
  };
};

/** What a request brings that shows its device or session to be known to an account. */
export const createProofs = ({ config }: Pick<Deps, 'config'>) => {
  const cookie = createSessionCookie({ config });
  const device = createDeviceCookie({ config });
  return (request: Request, device_token?: string): string[] => {
    const bearer = request.headers.get('authorization')?.match(/^bearer +([\w-]{43})$/i)?.[1];
    const proofs = [device_token, ...device.read(request), cookie.read(request), bearer];
    return proofs.filter((it) => it !== undefined);
  };
};

function refuseUntrusted(isTrusted: boolean): void {
  if (isTrusted) return;
  const text = 'A cookie is accepted only from pages of this server and of HUTCH_CORS_ORIGINS';
  throw new AppError('csrf_refused', text);
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
