import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import {
  UserCreate,
  UserParams,
  UserResponse,
  UsersResponse,
} from '../../schemas/accounts/users.ts';
import { Window } from '../../schemas/common.ts';
import {
  adminRoute,
  openRoutes,
  signedIn,
  signUpRoute,
  userRoute,
} from '../plugins/access-rules.ts';
import { countSignUp } from '../plugins/rate-limit.ts';
import { v1Errors, v1WriteErrors } from './responses.ts';

const TAKEN = { 400: ['Email already registered', 'Username already registered'] };

/**
 * The error for a sign-up in v1 if addresses must be verified. v1 responds with the account or with
 * the reason for refusing it, which would reveal who has an account, and it sends no verification mail.
 */
function v2Only(): AppError {
  return new AppError('forbidden', 'Sign up at /api/v2/auth/register: the email must be confirmed');
}

export const createUserRoutes = (deps: Pick<Deps, 'users' | 'config' | 'limits'>) => {
  const { users: service } = deps;
  return openRoutes({ prefix: '/users', tags: ['users'] })
    .post(
      '/',
      async ({ actor, body, set }) => {
        await countSignUp(deps, actor.origin.address, set);
        if (actor.id === null && deps.config.emailVerification === 'required') throw v2Only();
        return service.create(body, { actor });
      },
      {
        body: UserCreate,
        response: { 200: UserResponse, ...v1WriteErrors([400, 401, 403], TAKEN) },
        detail: { ...signUpRoute('createUser', 'Create an account'), scope: 'admin' },
      },
    )
    .get(
      '/',
      ({ actor, query: { skip = 0, limit = 100 } }) => service.list(signedIn(actor), skip, limit),
      {
        query: Window,
        response: { 200: UsersResponse, ...v1Errors([401, 403, 422, 503]) },
        detail: adminRoute('listUsers', 'List accounts by id'),
      },
    )
    .get('/:user_id', ({ actor, params }) => service.getFor(signedIn(actor), params.user_id), {
      params: UserParams,
      response: {
        200: UserResponse,
        ...v1Errors([401, 403, 404, 422], { 404: ['User not found'] }),
      },
      detail: userRoute('users:read', 'getUser', 'Read an account, as itself or an admin'),
    });
};
