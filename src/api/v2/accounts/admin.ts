import { status } from 'elysia';
import type { Actor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import {
  ACCOUNT_SORTS,
  Account,
  AccountCreate,
  AccountParams,
  Accounts,
  AccountsQuery,
} from '../../../schemas/accounts/admin.ts';
import { ACCOUNT_FILTERS } from '../../../schemas/filters.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { queryTime } from '../../request/parameters.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { choiceOf, filtersOf, givenIn, refuse } from '../items/list-query.ts';
import { ADMIN, KEYED, v2BodyErrors, v2Errors } from '../responses.ts';

/** Accounts as admins find, read and make them. */
export const createAdminUserRoutes = (deps: Pick<Deps, 'adminUsers' | 'idempotency'>) => {
  const { adminUsers: service } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/users', tags: ['users'] })
    .get(
      '',
      ({ actor, request, query }) => service.list(actor, listQueryOf(actor, request, query)),
      {
        query: AccountsQuery,
        response: { 200: Accounts, ...v2Errors(...ADMIN, 'invalid_cursor', 'validation_failed') },
        detail: {
          ...adminRoute('listAccounts', 'List accounts, as an admin'),
          'x-parameters': filterParameters(ACCOUNT_FILTERS),
        },
      },
    )
    .post(
      '',
      async ({ actor, body, request, set }) => {
        // Not the password: a fast hash of it must not be stored.
        const { password: _, ...known } = body;
        const account = await once({ actor, request, body: known, set }, created, (onWritten) =>
          service.create(actor, body, onWritten),
        );
        return status(201, account);
      },
      {
        body: AccountCreate,
        response: {
          201: Account,
          ...v2BodyErrors(...ADMIN, ...KEYED, 'email_taken', 'username_taken', 'weak_password'),
        },
        detail: {
          ...adminRoute('createAccount', 'Create an account, as an admin'),
          takesKey: true,
          description:
            'A repeat by Idempotency-Key that differs only in the password is the same request.',
        },
      },
    )
    .get('/:user_id', ({ actor, params }) => service.get(actor, params.user_id), {
      params: AccountParams,
      response: { 200: Account, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
      detail: adminRoute('getAccount', 'Read an account, as an admin'),
    });
};

function created(account: typeof Account.static) {
  return { status: 201, location: `/api/v2/users/${account.id}`, body: account };
}

function listQueryOf(actor: Actor, request: Request, query: typeof AccountsQuery.static) {
  const { role, q, count, limit, cursor, is_active } = query;
  const given = givenIn(request.url, AccountsQuery);
  const filters = filtersOf(given, ACCOUNT_FILTERS, actor.id);
  const sort = choiceOf(given, 'sort', ACCOUNT_SORTS);
  refuse(given);
  return {
    ...{ role, q: q?.trim(), filters, sort, count, limit, cursor },
    is_active: is_active && is_active === 'true',
    created_after: queryTime(query, 'created_after'),
    created_before: queryTime(query, 'created_before'),
  };
}
