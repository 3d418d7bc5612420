import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import {
  Accepted,
  EmailChange,
  EmailChangeConfirmation,
  EmailConfirmation,
  EmailConfirmed,
} from '../../../schemas/auth/email.ts';
import { NoContent } from '../../../schemas/common.ts';
import { openRoutes, publicRoute, sessionRoute, signedIn } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2BodyErrors, v2WriteErrors } from '../responses.ts';

/** Verification of the address of an account. */
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
        detail: sessionRoute('askVerification', 'Request a mail to confirm the address'),
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

/** A change of address: requested by the owner, confirmed from the new address. */
export const createEmailChangeRoutes = (deps: Pick<Deps, 'emailChange'>) => {
  const { emailChange } = deps;
  return openRoutes({ tags: ['auth'] })
    .post(
      '/users/me/email',
      async ({ actor, body }) => {
        await emailChange.request(signedIn(actor), body);
        return status(202, { message: 'A mail is on its way to the new address.' });
      },
      {
        body: EmailChange,
        response: {
          202: Accepted,
          ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict', 'not_found'),
        },
        detail: sessionRoute('askEmailChange', 'Request a change of your email address'),
      },
    )
    .post(
      '/auth/email/confirm',
      async ({ actor, body, set }) => {
        await emailChange.confirm(actor, body);
        set.status = 204;
      },
      {
        body: EmailChangeConfirmation,
        response: {
          204: NoContent,
          ...v2BodyErrors('bad_credentials', 'conflict', 'email_taken', 'invalid_action_token'),
        },
        detail: publicRoute('confirmEmailChange', 'Confirm a new email address'),
      },
    );
};
