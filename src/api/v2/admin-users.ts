import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import {
  ACCOUNT_SORTS,
  Account,
  AccountCreate,
  AccountParams,
  Accounts,
  AccountsQuery,
} from '../../schemas/admin-users.ts';
import { ACCOUNT_FILTERS } from '../../schemas/filters.ts';
import { filterParameters } from '../../schemas/list-query.ts';
import { callerOf } from '../access.ts';
import { adminRoute } from '../access-rules.ts';
import { queryTime } from '../query-time.ts';
import { createVia } from '../via.ts';
import { choiceOf, filtersOf, givenIn, refuse } from './list-query.ts';
import { ADMIN, v2BodyErrors, v2Errors } from './responses.ts';

/** Accounts as admins find, read and make them. */
export const adminUsers = (deps: Pick<Deps, 'adminUsers' | 'config'>) => {
  const { adminUsers: service } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/users', tags: ['users'] })
    .get(
      '',
      ({ request, query: { role, q, count, limit, cursor, ...query } }) => {
        const caller = callerOf(request);
        const given = givenIn(request.url, AccountsQuery);
        const filters = filtersOf(given, ACCOUNT_FILTERS, caller.id);
        const sort = choiceOf(given, 'sort', ACCOUNT_SORTS);
        refuse(given);
        return service.list(caller, {
          ...{ role, q: q?.trim(), filters, sort, count, limit, cursor },
          is_active: query.is_active && query.is_active === 'true',
          created_after: queryTime(query, 'created_after'),
          created_before: queryTime(query, 'created_before'),
        });
      },
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
      async ({ body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        const account = await service.create(callerOf(request), body, via);
        set.headers['location'] = `/api/v2/users/${account.id}`;
        return status(201, account);
      },
      {
        body: AccountCreate,
        response: {
          201: Account,
          ...v2BodyErrors(...ADMIN, 'email_taken', 'username_taken', 'weak_password'),
        },
        detail: adminRoute('createAccount', 'Create an account, as an admin'),
      },
    )
    .get('/:user_id', ({ request, params }) => service.get(callerOf(request), params.user_id), {
      params: AccountParams,
      response: { 200: Account, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
      detail: adminRoute('getAccount', 'Read an account, as an admin'),
    });
};
