import { status } from 'elysia';
import type { Actor } from '../../../core/actor.ts';
import type { Deps } from '../../../core/deps.ts';
import {
  ACCOUNT_SORTS,
  Account,
  AccountCreate,
  AccountParams,
  AccountPatch,
  Accounts,
  AccountsQuery,
} from '../../../schemas/accounts/admin.ts';
import { EndedSessions } from '../../../schemas/auth/sessions.ts';
import { NoContent } from '../../../schemas/common.ts';
import { ACCOUNT_FILTERS } from '../../../schemas/filters.ts';
import { filterParameters } from '../../../schemas/list-query.ts';
import { accountRoutes, adminRoute } from '../../plugins/access-rules.ts';
import { queryTime } from '../../request/parameters.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { choiceOf, filtersOf, parseQuery, throwProblems } from '../resources/list-query.ts';
import { ADMIN, KEYED, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const UPDATE_ACCOUNT_ERRORS = v2BodyErrors(
  ...ADMIN,
  'not_found',
  'conflict',
  'email_taken',
  'username_taken',
);
const DELETE_ACCOUNT_ERRORS = v2WriteErrors(...ADMIN, 'not_found', 'conflict', 'validation_failed');
const END_ACCOUNT_SESSIONS_ERRORS = v2WriteErrors(...ADMIN, 'not_found', 'validation_failed');

/** Routes by which admins list, create, change and delete accounts. */
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
        // Omit the password, because a fast hash of it must not be stored.
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
            'A repeat with the same Idempotency-Key that differs only in the password is the same request.',
        },
      },
    )
    .get('/:user_id', ({ actor, params }) => service.get(actor, params.user_id), {
      params: AccountParams,
      response: { 200: Account, ...v2Errors(...ADMIN, 'not_found', 'validation_failed') },
      detail: adminRoute('getAccount', 'Read an account, as an admin'),
    })
    .patch(
      '/:user_id',
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
      '/:user_id',
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
      '/:user_id/sessions',
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

function created(account: typeof Account.static) {
  return { status: 201, location: `/api/v2/users/${account.id}`, body: account };
}

function listQueryOf(actor: Actor, request: Request, query: typeof AccountsQuery.static) {
  const { role, q, count, limit, cursor, is_active } = query;
  const parsed = parseQuery(request.url, AccountsQuery);
  const filters = filtersOf(parsed, ACCOUNT_FILTERS, actor.id);
  const sort = choiceOf(parsed, 'sort', ACCOUNT_SORTS);
  throwProblems(parsed);
  return {
    ...{ role, q: q?.trim(), filters, sort, count, limit, cursor },
    is_active: is_active && is_active === 'true',
    created_after: queryTime(query, 'created_after'),
    created_before: queryTime(query, 'created_before'),
  };
}
