import type { Deps } from '../../../core/deps.ts';
import { AccountParams } from '../../../schemas/accounts/admin.ts';
import { Usage, UsagePatch } from '../../../schemas/accounts/usage.ts';
import { accountRoutes, adminRoute, userRoute } from '../../plugins/access-rules.ts';
import { ADMIN, SIGNED_IN, v2BodyErrors, v2Errors } from '../responses.ts';

/** Routes for the quotas of accounts. */
export const createAccountUsageRoutes = (deps: Pick<Deps, 'accountUsage' | 'adminUsage'>) => {
  return accountRoutes({ prefix: '/users', tags: ['users'] })
    .get('/me/usage', ({ actor }) => deps.accountUsage.get(actor), {
      response: { 200: Usage, ...v2Errors(...SIGNED_IN) },
      detail: userRoute('users:read', 'getMyUsage', 'Read the use of your quotas'),
    })
    .get('/:user_id/usage', ({ actor, params }) => deps.adminUsage.get(actor, params.user_id), {
      params: AccountParams,
      response: { 200: Usage, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
      detail: adminRoute('getAccountUsage', 'Read the use of quotas by an account, as an admin'),
    })
    .patch(
      '/:user_id/usage',
      ({ actor, params, body }) => {
        return deps.adminUsage.setLimits(actor, params.user_id, body);
      },
      {
        params: AccountParams,
        body: UsagePatch,
        response: { 200: Usage, ...v2BodyErrors(...ADMIN, 'not_found') },
        detail: adminRoute('updateAccountUsage', 'Set the limits of an account, as an admin'),
      },
    );
};
