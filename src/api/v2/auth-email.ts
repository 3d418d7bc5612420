import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { Accepted, EmailConfirmation, EmailConfirmed } from '../../schemas/auth-email.ts';
import { callerOf } from '../access.ts';
import { publicRoute, sessionRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2BodyErrors, v2WriteErrors } from './responses.ts';

/** Proving the address of an account. */
export const authEmail = (deps: Pick<Deps, 'emailFlows' | 'config'>) => {
  const { emailFlows } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/verification',
      async ({ request, server, set }) => {
        await emailFlows.askVerify(callerOf(request), viaOf({ request, server, set }));
        return status(202, {
          message: 'A mail is on its way, unless the address is confirmed already.',
        });
      },
      {
        response: { 202: Accepted, ...v2WriteErrors(...SIGNED_IN) },
        detail: sessionRoute('askVerification', 'Ask for a mail to confirm the address'),
      },
    )
    .post(
      '/verification/confirm',
      ({ body, request, server, set }) => emailFlows.verify(body, viaOf({ request, server, set })),
      {
        body: EmailConfirmation,
        response: {
          200: EmailConfirmed,
          ...v2BodyErrors('bad_credentials', 'invalid_action_token'),
        },
        detail: publicRoute('confirmVerification', 'Confirm the address'),
      },
    );
};
