import type { Deps } from '../../../core/deps.ts';
import { AccountDeletion, PasswordChange } from '../../../schemas/accounts/own.ts';
import { NoContent } from '../../../schemas/common.ts';
import { accountRoutes, sessionRoute } from '../../plugins/access-rules.ts';
import { createDeviceCookie } from '../../plugins/cookies.ts';
import { SIGNED_IN, v2BodyErrors } from '../responses.ts';

/** Changes of the caller's account that require the current password. */
export const createCredentialRoutes = (deps: Pick<Deps, 'account' | 'config'>) => {
  const { account } = deps;
  const device = createDeviceCookie(deps);
  return accountRoutes({ prefix: '/users/me', tags: ['users'] })
    .put(
      '/password',
      async ({ actor, body, request, set }) => {
        const { current_password, new_password } = body;
        const token = await account.changePassword(actor, current_password, new_password);
        device.store(token, request, set);
        set.status = 204;
      },
      {
        body: PasswordChange,
        response: {
          204: NoContent,
          ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'weak_password'),
        },
        detail: sessionRoute('changePassword', 'Change your password and end your other sessions'),
      },
    )
    .delete(
      '',
      async ({ actor, body, set }) => {
        await account.remove(actor, body.password);
        set.status = 204;
      },
      {
        body: AccountDeletion,
        response: { 204: NoContent, ...v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict') },
        detail: {
          ...sessionRoute('deleteMe', 'Delete your account and all of its data'),
          description:
            'After the response no one can sign in with the account or see it or its items, and its email and username are free. Its rows are erased in the background.',
        },
      },
    );
};
