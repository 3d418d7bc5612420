import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { EndedSessions, NoContent } from '../../schemas/accounts.ts';
import { Account, AccountParams, AccountPatch } from '../../schemas/admin-users.ts';
import { callerOf } from '../access.ts';
import { adminRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { v2BodyErrors, v2WriteErrors } from './responses.ts';

/** What admins do to an account. */
export const adminUserActs = (deps: Pick<Deps, 'adminUsers' | 'config'>) => {
  const { adminUsers: service } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/users/:user_id', tags: ['users'] })
    .patch(
      '',
      ({ params, body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        return service.update(callerOf(request), params.user_id, body, via);
      },
      {
        params: AccountParams,
        body: AccountPatch,
        response: { 200: Account, ...v2BodyErrors(401, 403, 404, 409) },
        detail: adminRoute('updateAccount', 'Change an account, as an admin'),
      },
    )
    .delete(
      '',
      async ({ params, request, server, set }) => {
        const via = viaOf({ request, server, set });
        await service.remove(callerOf(request), params.user_id, via);
        set.status = 204;
      },
      {
        params: AccountParams,
        response: { 204: NoContent, ...v2WriteErrors(401, 403, 404, 409, 422) },
        detail: adminRoute('deleteAccount', 'Delete an account and all of its data, as an admin'),
      },
    )
    .delete(
      '/sessions',
      ({ params, request, server, set }) => {
        const via = viaOf({ request, server, set });
        return service.endSessions(callerOf(request), params.user_id, via);
      },
      {
        params: AccountParams,
        response: { 200: EndedSessions, ...v2WriteErrors(401, 403, 404, 422) },
        detail: adminRoute(
          'endAccountSessions',
          'End all sessions and tokens of an account, as an admin',
        ),
      },
    );
};
