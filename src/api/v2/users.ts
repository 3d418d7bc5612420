import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AccountExport, AccountUpdate, OwnAccount } from '../../schemas/accounts.ts';
import { callerOf } from '../access.ts';
import { sessionRoute, userRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { v2BodyErrors, v2Errors, v2WriteErrors } from './responses.ts';

export const users = (deps: Pick<Deps, 'account' | 'config'>) => {
  const { account } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/users/me', tags: ['users'] })
    .get('', ({ request }) => account.get(callerOf(request)), {
      response: { 200: OwnAccount, ...v2Errors(401, 403) },
      detail: userRoute('users:read', 'getMe', 'Read the own account'),
    })
    .patch(
      '',
      ({ body, request, server, set }) =>
        account.rename(callerOf(request), body.username, viaOf({ request, server, set })),
      {
        body: AccountUpdate,
        response: { 200: OwnAccount, ...v2BodyErrors(401, 403, 409) },
        detail: sessionRoute('updateMe', 'Change the own username'),
      },
    )
    .get(
      '/export',
      ({ request, server, set }) =>
        account.export(callerOf(request), viaOf({ request, server, set })),
      {
        response: { 200: AccountExport, ...v2WriteErrors(401, 403) },
        detail: sessionRoute('exportMe', 'Take all own data along'),
      },
    );
};
