import type { Elysia } from 'elysia';
import type { Columns } from '../../../resources/declare/column.ts';
import type { ResourceTypes } from '../../../resources/declare/declaration.ts';
import type { Resource } from '../../../resources/declare/definition.ts';
import type { FilterOf, JsonFilter, SYSTEM_FILTERS } from '../../../resources/declare/filters.ts';
import type { NewOf, PatchOf, RowOf, Show } from '../../../resources/declare/rows.ts';
import type { NoContent } from '../../../schemas/common.ts';
import type { ListTypes } from '../../../schemas/filters.ts';
import type { BodyProblems, KEYED, Problems, SIGNED_IN, WriteProblems } from '../responses.ts';

/**
 * The types of the routes of resources. They are written down rather than inferred: a mapped type has no
 * depth, so TypeScript can follow hundreds of resources.
 */
export type Mounted<Resources> = Plain<{
  [K in keyof Resources as NameOf<Resources[K]>]: RoutesOf<Resources[K]>;
}>;

/** The same for the exports of a module; those that are not resources are left out. */
export type TreeOf<Module> = Mounted<Module>['~Routes'];

/** An Elysia plugin with these routes and nothing else. */
type Plain<Routes> = Elysia<
  '',
  { decorator: Nothing; store: Nothing; derive: Nothing; resolve: Nothing },
  { typebox: Nothing; error: Nothing },
  {
    schema: Nothing;
    standaloneSchema: Nothing;
    macro: Nothing;
    macroFn: Nothing;
    parser: Nothing;
    response: Nothing;
  },
  Routes & Nothing
>;

// biome-ignore lint/complexity/noBannedTypes: Elysia's own types use it.
type Nothing = {};

type NameOf<R> = R extends Resource<infer Name> ? Name : never;
type RoutesOf<R> = R extends Resource<string, infer T extends ResourceTypes> ? Tree<T> : never;

type Tree<T extends ResourceTypes> = Row<T> &
  If<T['flags']['batch'], Batch<T>> &
  If<T['flags']['events'], Events<T>> &
  If<T['flags']['transfer'], Transfer<T>> &
  If<T['flags']['views'], Popular<T>> &
  Custom<T['routes']>;

type If<Condition, Routes> = Condition extends true ? Routes : unknown;

// A response map must be a type: Eden and the client look for the index signature that it implies.
interface Route<Body, Params, Query, Response> {
  body: Body;
  params: Params;
  query: Query;
  headers: unknown;
  response: Response;
}

type Empty = (typeof NoContent)['static'];
type SignedIn = (typeof SIGNED_IN)[number];
type Keyed = (typeof KEYED)[number];
/** Further refusals of routes that read, and of those that write. */
type Reading<T extends ResourceTypes> =
  | SignedIn
  | (T['read'] extends 'admin' ? 'forbidden' : never);
type Writing<T extends ResourceTypes> =
  | Reading<T>
  | (T['write'] extends 'user' | 'owner' ? never : 'forbidden');

type Document<T extends ResourceTypes> = RowOf<
  T['columns'],
  T['flags']['bin'],
  T['flags']['views']
>;

/** A row as it is read, with what `expand` adds. */
type Shown<T extends ResourceTypes> = Show<
  Document<T> & { owner?: { id: number; username: string } } & Expanded<T['columns']>
>;

type Expanded<C extends Columns> = {
  [K in keyof C as C[K]['~types']['kind'] extends 'ref' ? RelationName<K> : never]?: C[K] extends {
    '~types': { to: Resource<string, infer To extends ResourceTypes> };
  }
    ? Document<To> | null
    : never;
};

type RelationName<Field> = Field extends `${infer Name}_id` ? Name : Field;

// Members of an interface, not aliases: the compiler prints an alias by its name, which the
// declarations of the client package would have to contain.
interface Wire<T extends ResourceTypes> {
  sortField: 'id' | T['sort'] | ([T['search']] extends [never] ? never : 'relevance');
  selection: {
    fields?: Names<keyof Document<T> & string>['parameter'];
    expand?: Names<'owner' | (keyof Expanded<T['columns']> & string)>['parameter'];
  };
  listQuery: Show<
    Wire<T>['selection'] & {
      sort?: Names<Wire<T>['sortField'] | `-${Wire<T>['sortField']}`>['parameter'];
      count?: 'exact';
      limit?: number;
      cursor?: string;
    } & If<T['flags']['bin'], { bin?: 'only' }> &
      ([T['search']] extends [never] ? unknown : { q?: string })
  > &
    ListTypes<Filters<T>>['query'];
  list: {
    data: Shown<T>[];
    page: Page;
    total?: number;
    total_is_capped?: boolean;
  };
  streamEvent:
    | { event: 'created' | 'updated' | 'deleted'; id: number; data: Change<T> }
    | (T['flags']['views'] extends true
        ? { event: 'popular'; data: { [Ids in `${T['one']}_ids`]: number[] } }
        : never)
    | { event: 'reset'; id: number; data: { reason: string } }
    | { event?: undefined; id?: number; retry?: number };
  revision: {
    version: number;
    action: 'create' | 'update' | 'delete' | 'restore' | 'revert';
    actor_id: number;
    at: string;
    changes: {
      [K in keyof T['columns'] & keyof Document<T>]?: { from: Document<T>[K]; to: Document<T>[K] };
    };
  };
  operation:
    | ({ op: 'create' } & { [One in T['one']]: NewOf<T['columns']> })
    | ({ op: 'update'; id: number; if_match?: number } & {
        [One in T['one']]: PatchOf<T['columns']>;
      })
    | { op: 'delete'; id: number; if_match?: number };
}

type Params<T extends ResourceTypes> = { [Name in T['idParam']]: number };

interface Names<Name> {
  parameter: Name | readonly Name[];
}

type Filters<T extends ResourceTypes> = {
  [Name in T['filter']]: Name extends keyof T['columns']
    ? T['columns'][Name]['~types']['kind'] extends 'json'
      ? JsonFilter
      : FilterOf<T['columns'][Name], Name extends T['sort'] ? true : false>
    : Name extends keyof typeof SYSTEM_FILTERS
      ? (typeof SYSTEM_FILTERS)[Name]
      : never;
};

type Page = { next_cursor: string | null; has_more: boolean; limit: number };

type Row<T extends ResourceTypes> = {
  get: Route<
    unknown,
    Nothing,
    Wire<T>['listQuery'],
    { 200: Wire<T>['list'] } & Problems<Reading<T> | 'invalid_cursor' | 'validation_failed'>
  >;
  post: Route<
    NewOf<T['columns']>,
    Nothing,
    unknown,
    { 201: Document<T> } & BodyProblems<Writing<T> | Keyed | 'inactive_user'>
  >;
} & {
  [Id in `:${T['idParam']}`]: One<T> &
    If<T['flags']['bin'], Bin<T>> &
    If<T['flags']['history'], History<T>> &
    If<T['flags']['views'], Views<T>>;
};

type One<T extends ResourceTypes> = {
  get: Route<
    unknown,
    Params<T>,
    Show<Wire<T>['selection']>,
    { 200: Shown<T>; 304: Empty } & Problems<Reading<T> | 'not_found' | 'validation_failed'>
  >;
  patch: Route<
    PatchOf<T['columns']>,
    Params<T>,
    unknown,
    { 200: Document<T> } & BodyProblems<
      Changing<T> | 'version_mismatch' | 'quota_exceeded' | 'inactive_user'
    >
  >;
  delete: Route<
    unknown,
    Params<T>,
    unknown,
    { 204: Empty } & WriteProblems<Changing<T> | 'version_mismatch' | 'validation_failed'>
  >;
};

type Changing<T extends ResourceTypes> = Writing<T> | 'forbidden' | 'not_found';

type Bin<T extends ResourceTypes> = {
  bin: {
    delete: Route<
      unknown,
      Params<T>,
      unknown,
      { 204: Empty } & WriteProblems<Changing<T> | 'validation_failed'>
    >;
  };
  restore: {
    post: Route<
      unknown,
      Params<T>,
      unknown,
      { 200: Document<T> } & WriteProblems<
        Changing<T> | Keyed | 'inactive_user' | 'validation_failed'
      >
    >;
  };
};

type History<T extends ResourceTypes> = {
  revisions: {
    get: Route<
      unknown,
      Params<T>,
      { limit?: number; cursor?: string },
      { 200: { data: Wire<T>['revision'][]; page: Page } } & Problems<
        Reading<T> | 'forbidden' | 'not_found' | 'invalid_cursor' | 'validation_failed'
      >
    >;
    post: Route<
      { version: number },
      Params<T>,
      unknown,
      { 201: Document<T> } & BodyProblems<
        Changing<T> | Keyed | 'version_mismatch' | 'inactive_user'
      >
    >;
  };
};

type Batch<T extends ResourceTypes> = {
  batch: {
    post: Route<
      { operations: Wire<T>['operation'][] },
      Nothing,
      unknown,
      {
        200: {
          results: { op: 'create' | 'update' | 'delete'; id: number; version: number }[];
        };
      } & BodyProblems<Writing<T> | Keyed | 'batch_failed' | 'inactive_user'>
    >;
  };
};

/** A change and the current state of its row: null if the caller cannot see it any more. */
type Change<T extends ResourceTypes> = Show<
  { version: number; at: string } & { [One in T['one']]: Document<T> | null } & {
    [Id in `${T['one']}_id`]: number;
  }
>;

type Events<T extends ResourceTypes> = {
  events: {
    get: Route<
      unknown,
      Nothing,
      { last_event_id?: string },
      { 200: AsyncGenerator<Wire<T>['streamEvent'], void, unknown> } & Problems<
        Reading<T> | 'validation_failed'
      >
    >;
  };
};

type Upload =
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | ArrayBuffer
  | Uint8Array
  | string;

interface Reports {
  one: {
    created: number;
    failed: number;
    dry_run: boolean;
    errors: { line: number; code: string; message: string }[];
  };
}

type Transfer<T extends ResourceTypes> = {
  import: {
    post: Route<
      Upload,
      Nothing,
      { format?: 'jsonl' | 'csv'; dry_run?: 'true' | 'false' },
      { 200: Reports['one'] } & BodyProblems<Writing<T> | 'quota_exceeded' | 'inactive_user'>
    >;
  };
  export: {
    get: Route<
      unknown,
      Nothing,
      { format?: 'jsonl' | 'csv'; scope?: 'own' | 'listed' } & ListTypes<Filters<T>>['query'],
      { 200: ReadableStream<Uint8Array> } & Problems<Reading<T> | 'validation_failed'>
    >;
  };
};

type Popular<T extends ResourceTypes> = {
  popular: {
    get: Route<
      unknown,
      Nothing,
      { window?: 'day' | 'week' | 'month' | 'all'; limit?: number },
      { 200: { data: Document<T>[] } } & Problems<'validation_failed'>
    >;
  };
};

interface StatsWindow {
  name: 'day' | 'week' | 'month' | 'year';
}

interface Statss {
  one: {
    window: StatsWindow['name'];
    views: number;
    unit: 'hour' | 'day';
    series: { at: string; views: number }[];
  };
}

type Views<T extends ResourceTypes> = {
  stats: {
    get: Route<
      unknown,
      Params<T>,
      { window?: StatsWindow['name'] },
      { 200: Statss['one'] } & Problems<Reading<T> | 'not_found' | 'validation_failed'>
    >;
  };
  views: {
    post: Route<
      unknown,
      Params<T>,
      unknown,
      { 200: { views: number; counted: boolean } } & WriteProblems<
        Reading<T> | 'not_found' | 'validation_failed'
      >
    >;
  };
};

/** The routes of a declaration, with our problems in place of Elysia's own. */
type Custom<Routes> = unknown extends Routes ? unknown : WithProblems<Routes>;

type WithProblems<Branch> = {
  [K in keyof Branch]: Branch[K] extends Route<infer B, infer P, infer Q, infer Res>
    ? Route<B, P, Q, ResponsesOf<Res>>
    : WithProblems<Branch[K]>;
};

/** The problems that the service of a resource and the guards throw. */
type CustomProblems = BodyProblems<
  SignedIn | Keyed | 'forbidden' | 'not_found' | 'conflict' | 'version_mismatch' | 'inactive_user'
>;

/** The declared responses take precedence. */
type ResponsesOf<Res> = {
  [S in keyof Res as Res[S] extends { type: 'validation'; on: string } ? never : S]: Res[S];
} & Omit<CustomProblems, Exclude<keyof Res, 422>>;
