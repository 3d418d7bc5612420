import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { Usage, UsagePatch } from '../../schemas/account-usage.ts';
import { AccountParams } from '../../schemas/admin-users.ts';
import { callerOf } from '../access.ts';
import { adminRoute, userRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { ADMIN, SIGNED_IN, v2BodyErrors, v2Errors } from './responses.ts';

/** What accounts use of their quotas. */
export const accountUsage = (deps: Pick<Deps, 'accountUsage' | 'adminUsage' | 'config'>) => {
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/users', tags: ['users'] })
    .get('/me/usage', ({ request }) => deps.accountUsage.get(callerOf(request)), {
      response: { 200: Usage, ...v2Errors(...SIGNED_IN) },
      detail: userRoute('users:read', 'getMyUsage', 'Read what the own account uses of its quotas'),
    })
    .get(
      '/:user_id/usage',
      ({ params, request }) => deps.adminUsage.get(callerOf(request), params.user_id),
      {
        params: AccountParams,
        response: { 200: Usage, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
        detail: adminRoute(
          'getAccountUsage',
          'Read what an account uses of its quotas, as an admin',
        ),
      },
    )
    .patch(
      '/:user_id/usage',
      ({ params, body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        return deps.adminUsage.setLimits(callerOf(request), params.user_id, body, via);
      },
      {
        params: AccountParams,
        body: UsagePatch,
        response: { 200: Usage, ...v2BodyErrors(...ADMIN, 'not_found') },
        detail: adminRoute('updateAccountUsage', 'Give an account limits of its own, as an admin'),
      },
    );
};
