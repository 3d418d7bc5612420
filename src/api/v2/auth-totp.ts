import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { NoContent } from '../../schemas/accounts.ts';
import {
  PasswordProof,
  RecoveryCodes,
  TotpConfirm,
  TotpSetup,
  TotpStatus,
} from '../../schemas/totp.ts';
import { callerOf } from '../access.ts';
import { beforeSecondFactor, sessionRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors } from './responses.ts';

export const authTotp = (deps: Pick<Deps, 'twoFactor' | 'config'>) => {
  const { twoFactor } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/auth', tags: ['auth'] })
    .get('/totp', ({ request }) => twoFactor.status(callerOf(request)), {
      response: { 200: TotpStatus, ...v2Errors(...SIGNED_IN) },
      detail: beforeSecondFactor(sessionRoute('getTotp', 'Whether an authenticator is on')),
    })
    .post('/totp', ({ body, request }) => twoFactor.begin(callerOf(request), body.password), {
      body: PasswordProof,
      response: { 200: TotpSetup, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
      detail: beforeSecondFactor(sessionRoute('beginTotp', 'Begin to set up an authenticator')),
    })
    .post(
      '/totp/confirm',
      ({ body, request, server, set }) =>
        twoFactor.confirm(callerOf(request), body.code, viaOf({ request, server, set })),
      {
        body: TotpConfirm,
        response: {
          200: RecoveryCodes,
          ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict'),
        },
        detail: beforeSecondFactor(
          sessionRoute('confirmTotp', 'Turn the authenticator on by a first code'),
        ),
      },
    )
    .delete(
      '/totp',
      async ({ body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        await twoFactor.disable(callerOf(request), body.password, via);
        set.status = 204;
      },
      {
        body: PasswordProof,
        response: { 204: NoContent, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
        detail: sessionRoute('disableTotp', 'Turn the authenticator off'),
      },
    );
};
