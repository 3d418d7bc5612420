import type { Deps } from '../../../core/deps.ts';
import { AccountExport, AccountUpdate, OwnAccount } from '../../../schemas/accounts/accounts.ts';
import {
  accountRoutes,
  beforeSecondFactor,
  sessionRoute,
  userRoute,
} from '../../plugins/access-rules.ts';
import { textStream } from '../../responses/text-stream.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

export const createUserRoutes = (deps: Pick<Deps, 'account' | 'accountExport'>) => {
  const { account, accountExport } = deps;
  return accountRoutes({ prefix: '/users/me', tags: ['users'] })
    .get('', ({ actor }) => account.get(actor), {
      response: { 200: OwnAccount, ...v2Errors(...SIGNED_IN) },
      detail: beforeSecondFactor(userRoute('users:read', 'getMe', 'Read the own account')),
    })
    .patch('', ({ actor, body }) => account.rename(actor, body.username), {
      body: AccountUpdate,
      response: {
        200: OwnAccount,
        ...v2BodyErrors(...SIGNED_IN, 'username_taken', 'quota_exceeded'),
      },
      detail: sessionRoute('updateMe', 'Change the own username'),
    })
    .get(
      '/export',
      async ({ actor, set }) => {
        const parts = await accountExport.begin(actor);
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
