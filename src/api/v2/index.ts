import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { system } from './system.ts';

/** v2: only the groups whose contract differs from v1's. */
export const v2 = (deps: Deps) => new Elysia({ prefix: '/api/v2' }).use(system(deps));
