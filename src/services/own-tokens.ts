import type { AccessTokens, CreatedAccessToken, NewAccessToken } from './access-tokens.ts';
import type { Via } from './audit.ts';
import type { Identity } from './auth.ts';
import type { OnWritten } from './idempotency.ts';

export interface OwnTokensDeps {
  accessTokens: AccessTokens;
  /** Throws unless the caller proves to be the owner; see services/account.ts. */
  proveRecently(caller: Identity, password: string | undefined): Promise<void>;
}

/** Tokens that an account makes for itself: a stolen session alone makes none. */
export const createOwnTokens = ({ accessTokens, proveRecently }: OwnTokensDeps) => ({
  /**
   * Returns `AccessTokens.create` for a caller who proves to be the owner. Who repeats a request to be
   * shown its token again needs the proof too. Throws what `proveRecently` throws.
   */
  proven: async (caller: Identity, password: string | undefined) => {
    await proveRecently(caller, password);
    return (token: NewAccessToken, via: Via, onWritten?: OnWritten<CreatedAccessToken>) =>
      accessTokens.create(caller, token, via, onWritten);
  },
});
