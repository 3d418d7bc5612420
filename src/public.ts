/** The module `hutch`: what the files of resources import. */
export { t } from 'elysia';
export type { Actor, AnyActor } from './core/actor.ts';
export { AppError, type ErrorCode } from './core/exceptions.ts';
export { JobError } from './core/jobs/definition.ts';
export {
  anyJson,
  flag,
  integer,
  json,
  oneOf,
  real,
  ref,
  text,
  texts,
  timestamp,
  visibility,
} from './resources/declare/columns.ts';
export { resource } from './resources/declare/resource.ts';
export type { NewOf, RowOf } from './resources/declare/rows.ts';
