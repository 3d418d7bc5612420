import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AccountExport, AccountUpdate, OwnAccount } from '../../schemas/accounts.ts';
import { callerOf } from '../access.ts';
import { beforeSecondFactor, sessionRoute, userRoute } from '../access-rules.ts';
import { textStream } from '../text-stream.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from './responses.ts';

export const users = (deps: Pick<Deps, 'account' | 'accountExport' | 'config'>) => {
  const { account, accountExport } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/users/me', tags: ['users'] })
    .get('', ({ request }) => account.get(callerOf(request)), {
      response: { 200: OwnAccount, ...v2Errors(...SIGNED_IN) },
      detail: beforeSecondFactor(userRoute('users:read', 'getMe', 'Read the own account')),
    })
    .patch(
      '',
      ({ body, request, server, set }) =>
        account.rename(callerOf(request), body.username, viaOf({ request, server, set })),
      {
        body: AccountUpdate,
        response: {
          200: OwnAccount,
          ...v2BodyErrors(...SIGNED_IN, 'username_taken', 'quota_exceeded'),
        },
        detail: sessionRoute('updateMe', 'Change the own username'),
      },
    )
    .get(
      '/export',
      async ({ request, server, set }) => {
        const via = viaOf({ request, server, set });
        const parts = await accountExport.begin(callerOf(request).id, via);
        return textStream<AccountExport>(parts, set, { 'content-type': 'application/json' });
      },
      {
        response: { 200: AccountExport, ...v2WriteErrors(...SIGNED_IN, 'quota_exceeded') },
        detail: {
          ...sessionRoute('exportMe', 'Take all own data along'),
          description:
            'Streamed. Each list is in the order of its ids and holds what existed when it began, each row as it was when its turn came. A connection that is cut before the end did not send everything.',
        },
      },
    );
};
