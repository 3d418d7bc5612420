import type { Deps } from '../../../core/deps.ts';
import { NoContent } from '../../../schemas/accounts/accounts.ts';
import { PasswordProof, RecoveryCodes, SecondFactorProof } from '../../../schemas/auth/totp.ts';
import { beforeSecondFactor, sessionRoute } from '../../plugins/access-rules.ts';
import { accountRoutes } from '../../plugins/groups.ts';
import { SIGNED_IN, v2BodyErrors } from '../responses.ts';

/** Proving the second factor in a session, and the codes that stand in for a lost authenticator. */
export const createSecondFactorRoutes = (deps: Pick<Deps, 'twoFactor'>) => {
  const { twoFactor } = deps;
  return accountRoutes({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/second-factor',
      async ({ actor, body, set }) => {
        await twoFactor.prove(actor, body.code);
        set.status = 204;
      },
      {
        body: SecondFactorProof,
        response: { 204: NoContent, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
        detail: beforeSecondFactor(
          sessionRoute('proveSecondFactor', 'Prove the second factor in this session'),
        ),
      },
    )
    .post('/recovery-codes', ({ actor, body }) => twoFactor.renewCodes(actor, body.password), {
      body: PasswordProof,
      response: {
        200: RecoveryCodes,
        ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict'),
      },
      detail: sessionRoute('renewRecoveryCodes', 'Make new recovery codes'),
    });
};
