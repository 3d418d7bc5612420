import type { Elysia } from 'elysia';
import type { Actor, AnyActor } from '../../core/actor.ts';
import type { SYSTEM_SORTS } from './checks.ts';
import type { Columns } from './column.ts';
import type { SystemFilter } from './filters.ts';
import type { AfterHooks, BeforeHooks } from './hooks.ts';
import type { ResourceJob } from './jobs.ts';
import type { NewOf, RowOf } from './rows.ts';
import type { ResourceService } from './service.ts';

/** The types of a declaration, from which those of its routes derive. */
export interface ResourceTypes {
  columns: Columns;
  /** A name of an access level or a function. */
  read: unknown;
  write: unknown;
  filter: string;
  sort: string;
  search: string;
  one: string;
  idParam: string;
  flags: Flags;
  /** The routes that the declaration adds. */
  routes: unknown;
}

/** The options that add routes. */
export interface Flags {
  history: boolean;
  bin: boolean;
  events: boolean;
  batch: boolean;
  transfer: boolean;
  views: boolean;
}

type KindOf<C extends Columns, Kind> = {
  [K in keyof C]: C[K]['~types']['kind'] extends Kind ? K : never;
}[keyof C] &
  string;

export type FilterName<C extends Columns> = (keyof C & string) | SystemFilter;
export type SortName<C extends Columns> =
  | KindOf<C, 'text' | 'integer' | 'real' | 'time' | 'flag' | 'choice'>
  | (typeof SYSTEM_SORTS)[number];
export type SearchName<C extends Columns> = KindOf<C, 'text' | 'texts'>;

type Rule<Row> = (actor: AnyActor, row: Row) => boolean;

/** The readers of rows: see ReadAccess. A rule gets the row as responses show it. */
export type ReadOf<C extends Columns> = 'public' | 'user' | 'owner' | 'admin' | Rule<RowOf<C>>;

/** The accounts that may change rows: see WriteAccess. */
export type WriteOf<C extends Columns> = 'user' | 'owner' | 'admin' | Rule<RowOf<C>>;

type Nothing = Record<never, never>;

/** An Elysia group with these routes. */
export interface RoutesGroup<Routes> {
  '~Routes': Routes;
}

/** An Elysia group whose handlers get the caller and the service of the resource. */
export type CustomRoutes<C extends Columns> = Elysia<
  '',
  {
    decorator: {
      actor: Actor;
      service: ResourceService<RowOf<C>, NewOf<C>>;
    };
    store: Nothing;
    derive: Nothing;
    resolve: Nothing;
  }
>;

type Options = Omit<ResourceTypes, 'columns' | 'routes'>;

/**
 * The options of `resource`. Everything but the columns and the access is optional. `C` and `Custom` are
 * not in `T`: TypeScript would infer all of `T` at once, before the types that functions return.
 */
export interface Declaration<C extends Columns, Custom, T extends Options> {
  /** The fields that clients write, in the order of an export. */
  columns: C;
  /** The readers of rows. A rule gets the caller and the row as responses show it. */
  read: T['read'];
  /** The accounts that may create rows, and change those that they may read. */
  write: T['write'];
  /** The fields that lists can be filtered by. */
  filter?: readonly T['filter'][];
  /** The fields that lists can be sorted by, besides the id. Each has an index. */
  sort?: readonly T['sort'][];
  /** The fields whose words a search finds; the first one counts most. */
  search?: readonly T['search'][];
  /** Stores earlier versions of rows, which can be listed and restored. */
  history?: T['flags']['history'];
  /** Moves deleted rows to a bin, from which they can be restored for a while. */
  bin?: T['flags']['bin'];
  /** Sends changes to listeners as server-sent events. */
  events?: T['flags']['events'];
  /** Changes many rows with one request. */
  batch?: T['flags']['batch'];
  /** Imports and exports rows as JSON Lines or CSV. */
  transfer?: T['flags']['transfer'];
  /** Counts views, for statistics and a list of popular rows. */
  views?: T['flags']['views'];
  /** The singular name. Default: the name without its `s`. */
  one?: T['one'];
  /** The name of the path parameter. Default: `id`. */
  idParam?: T['idParam'];
  /** Appended to the operation ids that v1 has, too. */
  operationSuffix?: string;
  /** Adds routes below the path of the resource, for signed-in callers. */
  routes?: (routes: CustomRoutes<C>) => RoutesGroup<Custom>;
  /** Functions that run inside the transaction of a change. */
  before?: BeforeHooks<RowOf<C>, NewOf<C>>;
  /** Functions that run after the commit of a change. */
  after?: AfterHooks<RowOf<C>>;
  /** Work outside of requests: queued by `jobs.enqueue('<resource>.<job>')`, or by `cron`. */
  jobs?: Readonly<Record<string, ResourceJob>>;
}
