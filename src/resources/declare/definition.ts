import type { TSchema } from '@sinclair/typebox';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { AnyElysia } from 'elysia';
import type { AnyActor } from '../../core/actor.ts';
import type { FilterFields } from '../../schemas/filters.ts';
import type { AfterHooks, BeforeHooks } from './hooks.ts';
import type { ResourceJob } from './jobs.ts';
import type { RelatedTables } from './related-tables.ts';

/** A stored row. Objects and lists are JSON texts, flags are 0 or 1, times are texts. */
export type Row = SystemFields & Record<string, string | number | null>;

/** The columns that the engine adds to each table and maintains itself. */
export interface SystemFields {
  id: number;
  /** The account that created the row. */
  owner_id: number;
  /** Grows by one with each change. ETags are built from it. */
  version: number;
  created_at: string;
  updated_at: string;
}

/** The table of a resource. `deleted_at` exists if the resource has a bin. */
export type ResourceTable = SQLiteTable & Record<keyof SystemFields, SQLiteColumn> & ColumnsByName;
export interface ColumnsByName {
  [name: string]: SQLiteColumn;
}

/**
 * The kind of a field's values. `json` is any JSON object, `texts` a list of texts, `ref` the id of
 * a row of another resource, `visibility` decides who may read the row.
 */
export type FieldKind =
  | 'text'
  | 'integer'
  | 'real'
  | 'flag'
  | 'time'
  | 'choice'
  | 'json'
  | 'texts'
  | 'ref'
  | 'visibility';

/** A field that clients write. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isNullable: boolean;
  /** True if a creation without it is refused. */
  readonly isRequired: boolean;
  /** The value of a creation without it, as clients send it. */
  readonly default: unknown;
  /** The schema of a value that is not null, as clients send it. */
  readonly schema: TSchema;
  /** True if texts are stored in Unicode NFC. */
  readonly isNfc: boolean;
  /** The texts of a choice. */
  readonly choices?: readonly string[];
  /** The most bytes of a JSON value, also after a patch has been merged into it. */
  readonly maxBytes?: number;
  /** The resource whose rows a `ref` names, and what happens to this row if that one is erased. */
  readonly ref?: { to(): Definition; readonly onDelete: 'cascade' | 'restrict' | 'set null' };
}

/** A rule that decides by the caller and the row. It must be fast and have no effects. */
export type AccessRule = (actor: AnyActor, row: Row) => boolean;

/**
 * Decides who may read rows. `public`: everyone; with a visibility field, private rows only by their
 * owner. `user`: every signed-in account. `owner`: the account that created the row. `admin`: admins.
 */
export type ReadAccess = 'public' | 'user' | 'owner' | 'admin' | AccessRule;

/**
 * Decides who may change rows that they may read. `user`: every signed-in account. `owner`: the
 * account that created the row and, if the row is public, admins. `admin`: admins, who alone may
 * create rows.
 */
export type WriteAccess = 'user' | 'owner' | 'admin' | AccessRule;

/** A declared resource. `Types` exists only as a type: it holds the types of rows, queries and routes. */
export interface Resource<Name extends string = string, Types = unknown> {
  readonly name: Name;
  readonly definition: Definition;
  readonly '~types': Types;
}

/** All that the engine knows of a resource, derived from its declaration. */
export interface Definition {
  /** The plural name: the path, the table and the scopes, such as `items`. */
  readonly name: string;
  /** The singular name in messages, events and the names of further tables, such as `item`. */
  readonly one: string;
  /** The name of the path parameter. */
  readonly idParam: string;
  /** Appended to the operation ids that v1 has, too; empty for new resources. */
  readonly operationSuffix: string;
  readonly table: ResourceTable;
  /** The further tables that the options of the declaration need. */
  readonly tables: RelatedTables;
  /** The fields that clients write, in the order of an export. */
  readonly fields: readonly Field[];
  readonly read: ReadAccess;
  readonly write: WriteAccess;
  /** True if a field has the kind `visibility`. */
  readonly hasVisibility: boolean;
  readonly hasBin: boolean;
  readonly hasHistory: boolean;
  readonly hasEvents: boolean;
  readonly hasBatch: boolean;
  readonly hasTransfer: boolean;
  readonly hasViews: boolean;
  /** The fields whose words a search finds; the first one counts most. Empty without a search. */
  readonly search: readonly string[];
  /** The conditions that a list accepts. */
  readonly filters: FilterFields;
  /** The fields by which a list is sorted, besides the id; each has an index. */
  readonly sorts: readonly string[];
  /**
   * The fields whose equal values an index finds, besides sorts: filters on texts, numbers, times and
   * references. See indexes.ts for the names of the indexes.
   */
  readonly indexed: readonly string[];
  readonly before?: BeforeHooks;
  readonly after?: AfterHooks;
  readonly jobs?: Readonly<Record<string, ResourceJob>>;
  /** Adds the routes of the declaration to a group whose handlers get `actor` and `service`. */
  readonly routes?: (group: never) => AnyElysia;
}
