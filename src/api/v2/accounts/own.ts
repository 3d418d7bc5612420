import type { Deps } from '../../../core/deps.ts';
import { AccountExport, AccountUpdate, OwnAccount } from '../../../schemas/accounts/own.ts';
import {
  accountRoutes,
  beforeSecondFactor,
  sessionRoute,
  userRoute,
} from '../../plugins/access-rules.ts';
import { textStream } from '../../responses/text-stream.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

export const createOwnAccountRoutes = (deps: Pick<Deps, 'account' | 'accountExport'>) => {
  const { account, accountExport } = deps;
  return accountRoutes({ prefix: '/users/me', tags: ['users'] })
    .get('', ({ actor }) => account.get(actor), {
      response: { 200: OwnAccount, ...v2Errors(...SIGNED_IN) },
      detail: beforeSecondFactor(userRoute('users:read', 'getMe', 'Read your account')),
    })
    .patch('', ({ actor, body }) => account.rename(actor, body.username), {
      body: AccountUpdate,
      response: {
        200: OwnAccount,
        ...v2BodyErrors(...SIGNED_IN, 'username_taken', 'quota_exceeded'),
      },
      detail: sessionRoute('updateMe', 'Change your username'),
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
          ...sessionRoute('exportMe', 'Export all your data'),
          description:
            'Streamed. Each list is ordered by id and holds the rows that existed when it began, each as it was when it was read. If the connection ends early, the export is incomplete.',
        },
      },
    );
};
