import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { Accepted, EmailChange, EmailChangeConfirmation } from '../../../schemas/auth/email.ts';
import { NoContent } from '../../../schemas/common.ts';
import { openRoutes, publicRoute, sessionRoute, signedIn } from '../../plugins/access-rules.ts';
import { SIGNED_IN, v2BodyErrors } from '../responses.ts';

/** Changing the address of an account: asked for by its owner, confirmed from the new address. */
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
        detail: sessionRoute('askEmailChange', 'Ask to change the own email address'),
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
