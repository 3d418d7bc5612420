import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { Accepted, EmailConfirmation, EmailConfirmed } from '../../../schemas/auth/email.ts';
import { openRoutes, publicRoute, sessionRoute, signedIn } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2BodyErrors, v2WriteErrors } from '../responses.ts';

/** Proving the address of an account. */
export const createEmailVerificationRoutes = (deps: Pick<Deps, 'emailVerification'>) => {
  const { emailVerification } = deps;
  return openRoutes({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/verification',
      async ({ actor }) => {
        await emailVerification.request(signedIn(actor));
        return status(202, {
          message: 'A mail is on its way, unless the address is confirmed already.',
        });
      },
      {
        response: { 202: Accepted, ...v2WriteErrors(...SIGNED_IN) },
        detail: sessionRoute('askVerification', 'Ask for a mail to confirm the address'),
      },
    )
    .post('/verification/confirm', ({ actor, body }) => emailVerification.confirm(actor, body), {
      body: EmailConfirmation,
      response: {
        200: EmailConfirmed,
        ...v2BodyErrors('bad_credentials', 'invalid_action_token'),
      },
      detail: publicRoute('confirmVerification', 'Confirm the address'),
    });
};
