import type { Deps } from '../../../core/deps.ts';
import { EndedSessions, NoContent } from '../../../schemas/accounts/accounts.ts';
import { Account, AccountParams, AccountPatch } from '../../../schemas/accounts/admin.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { ADMIN, v2BodyErrors, v2WriteErrors } from '../responses.ts';

const UPDATE_ACCOUNT_ERRORS = v2BodyErrors(
  ...ADMIN,
  'not_found',
  'conflict',
  'email_taken',
  'username_taken',
);
const DELETE_ACCOUNT_ERRORS = v2WriteErrors(...ADMIN, 'not_found', 'conflict', 'validation_failed');
const END_ACCOUNT_SESSIONS_ERRORS = v2WriteErrors(...ADMIN, 'not_found', 'validation_failed');

/** What admins do to an account. */
export const createAdminUserChangeRoutes = (deps: Pick<Deps, 'adminUsers'>) => {
  const { adminUsers: service } = deps;
  return accountRoutes({ prefix: '/users/:user_id', tags: ['users'] })
    .patch(
      '',
      ({ actor, params, body }) => {
        return service.update(actor, params.user_id, body);
      },
      {
        params: AccountParams,
        body: AccountPatch,
        response: { 200: Account, ...UPDATE_ACCOUNT_ERRORS },
        detail: adminRoute('updateAccount', 'Change an account, as an admin'),
      },
    )
    .delete(
      '',
      async ({ actor, params, set }) => {
        await service.remove(actor, params.user_id);
        set.status = 204;
      },
      {
        params: AccountParams,
        response: { 204: NoContent, ...DELETE_ACCOUNT_ERRORS },
        detail: adminRoute('deleteAccount', 'Delete an account and all of its data, as an admin'),
      },
    )
    .delete(
      '/sessions',
      ({ actor, params }) => {
        return service.endSessions(actor, params.user_id);
      },
      {
        params: AccountParams,
        response: { 200: EndedSessions, ...END_ACCOUNT_SESSIONS_ERRORS },
        detail: adminRoute(
          'endAccountSessions',
          'End all sessions and tokens of an account, as an admin',
        ),
      },
    );
};
