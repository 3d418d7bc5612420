import type { Deps } from '../../../core/deps.ts';
import {
  PasswordProof,
  RecoveryCodes,
  SecondFactorProof,
  TotpConfirm,
  TotpSetup,
  TotpStatus,
} from '../../../schemas/auth/totp.ts';
import { NoContent } from '../../../schemas/common.ts';
import { accountRoutes, beforeSecondFactor, sessionRoute } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';

/** The authenticator of the caller's account, its recovery codes and the proof of a second factor. */
export const createTotpRoutes = (deps: Pick<Deps, 'totps'>) => {
  const { totps } = deps;
  return accountRoutes({ prefix: '/auth', tags: ['auth'] })
    .get('/totp', ({ actor }) => totps.status(actor), {
      response: { 200: TotpStatus, ...v2Errors(...SIGNED_IN) },
      detail: beforeSecondFactor(sessionRoute('getTotp', 'Get the state of the authenticator')),
    })
    .post('/totp', ({ actor, body }) => totps.begin(actor, body.password), {
      body: PasswordProof,
      response: { 200: TotpSetup, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
      detail: beforeSecondFactor(sessionRoute('beginTotp', 'Start to set up an authenticator')),
    })
    .post('/totp/confirm', ({ actor, body }) => totps.confirm(actor, body.code), {
      body: TotpConfirm,
      response: {
        200: RecoveryCodes,
        ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict'),
      },
      detail: beforeSecondFactor(
        sessionRoute('confirmTotp', 'Turn the authenticator on with its first code'),
      ),
    })
    .delete(
      '/totp',
      async ({ actor, body, set }) => {
        await totps.disable(actor, body.password);
        set.status = 204;
      },
      {
        body: PasswordProof,
        response: { 204: NoContent, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
        detail: sessionRoute('disableTotp', 'Turn the authenticator off'),
      },
    )
    .post(
      '/second-factor',
      async ({ actor, body, set }) => {
        await totps.proveCode(actor, body.code);
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
    .post('/recovery-codes', ({ actor, body }) => totps.renewCodes(actor, body.password), {
      body: PasswordProof,
      response: {
        200: RecoveryCodes,
        ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict'),
      },
      detail: sessionRoute('renewRecoveryCodes', 'Replace the recovery codes'),
    });
};
