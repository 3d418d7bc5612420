import type { AccessTokens, NewAccessToken } from './access-tokens.ts';
import type { Via } from './audit.ts';
import type { Identity } from './auth.ts';

export interface OwnTokensDeps {
  accessTokens: AccessTokens;
  /** Throws unless the caller proves to be the owner; see services/account.ts. */
  proveRecently(caller: Identity, password: string | undefined): Promise<void>;
}

export interface TokenWish extends NewAccessToken {
  password?: string;
}

/** Tokens that an account makes for itself: a stolen session alone makes none. */
export const createOwnTokens = ({ accessTokens, proveRecently }: OwnTokensDeps) => ({
  /** Throws what `proveRecently` and `AccessTokens.create` throw. */
  create: async (caller: Identity, { password, ...token }: TokenWish, via: Via) => {
    await proveRecently(caller, password);
    return accessTokens.create(caller, token, via);
  },
});
