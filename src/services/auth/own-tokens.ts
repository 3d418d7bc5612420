import type { Actor } from '../../core/actor.ts';
import type { OnWritten } from '../idempotency.ts';
import type { AccessTokens, CreatedAccessToken, NewAccessToken } from './access-tokens.ts';

export interface OwnTokensDeps {
  accessTokens: AccessTokens;
  /** Throws unless the caller proves to be the owner; see proof.ts. */
  proveRecently(actor: Actor, password: string | undefined): Promise<void>;
}

/** Tokens that an account makes for itself: a stolen session alone makes none. */
export const createOwnTokens = ({ accessTokens, proveRecently }: OwnTokensDeps) => ({
  /**
   * Returns `AccessTokens.create` for a caller who proves to be the owner. Who repeats a request to be
   * shown its token again needs the proof too. Throws what `proveRecently` throws.
   */
  proven: async (actor: Actor, password: string | undefined) => {
    await proveRecently(actor, password);
    return (token: NewAccessToken, onWritten?: OnWritten<CreatedAccessToken>) =>
      accessTokens.create(actor, token, onWritten);
  },
});
