import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { createExternalRoutes } from './external.ts';
import { createItemRoutes } from './items.ts';
import { createLoginRoutes } from './login.ts';
import { createUserRoutes } from './users.ts';

/** v1, wire-compatible with the guide's service. */
export const v1 = (deps: Deps) =>
  new Elysia({ prefix: '/api/v1' })
    .use(createUserRoutes(deps))
    .use(createLoginRoutes(deps))
    .use(createItemRoutes(deps))
    .use(createExternalRoutes(deps));
