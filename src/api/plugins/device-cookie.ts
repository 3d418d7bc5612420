import type { Deps } from '../../core/deps.ts';
import { type Answer, createCookie, isFromTrustedPage } from './cookie.ts';

/** Accounts whose device tokens one browser keeps, the last signed in to first. */
const MAX_ACCOUNTS = 4;
/** As long as a device token lasts. */
const LIFE_SECONDS = 365 * 86_400;
const SEPARATOR = '~';
/** What is no device token is not written into a cookie again. */
const DEVICE_TOKEN = /^\d{1,15}(\.[\w-]{1,64}){2}$/;

/**
 * The device tokens of a browser, one for each of its latest accounts: `__Host-hutch-device`
 * behind an https public URL, else `hutch_device`. It outlives the session.
 */
export const createDeviceCookie = ({ config }: Pick<Deps, 'config'>) => {
  const cookie = createCookie(config, { secure: '__Host-hutch-device', plain: 'hutch_device' });
  const read = (request: Request): string[] => {
    const tokens = cookie.read(request)?.split(SEPARATOR).slice(0, MAX_ACCOUNTS) ?? [];
    return tokens.filter((it) => DEVICE_TOKEN.test(it));
  };
  return {
    /** The device tokens of a request's cookie. */
    read,

    /**
     * Adds a device token to those of the browser. Does nothing where the cookie would be sent in
     * the clear, and for pages that are not trusted: they could push the tokens of others out.
     */
    keep: (token: string, request: Request, answer: Answer): void => {
      if (!cookie.isSafe(request) || !isFromTrustedPage(config, request)) return;
      const others = read(request).filter((it) => accountOf(it) !== accountOf(token));
      const tokens = [token, ...others].slice(0, MAX_ACCOUNTS);
      cookie.set(answer, request, tokens.join(SEPARATOR), LIFE_SECONDS);
    },
  };
};

/** A device token begins with the id of its account. */
function accountOf(token: string): string {
  return token.slice(0, token.indexOf('.'));
}
