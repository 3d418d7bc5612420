import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { external } from './external.ts';
import { items } from './items.ts';
import { login } from './login.ts';
import { users } from './users.ts';

/** v1, wire-compatible with the guide's service. */
export const v1 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v1' })
    .use(users(deps))
    .use(login(deps))
    .use(items(deps))
    .use(external(deps));
