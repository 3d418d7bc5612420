import type { SQLiteColumn, SQLiteTableWithColumns } from 'drizzle-orm/sqlite-core';
import type { Column, Columns } from './column.ts';
import type { ResourceTypes } from './declaration.ts';
import type { Resource, SystemFields } from './definition.ts';
import type { Show } from './rows.ts';

/** A row as it is stored: JSON is a text, and a flag is 0 or 1. */
export type StoredOf<R extends Resource> =
  R extends Resource<string, infer T extends ResourceTypes>
    ? Show<
        SystemFields & {
          -readonly [K in keyof T['columns']]: StoredValue<T['columns'][K]>;
        } & (T['flags']['bin'] extends true ? { deleted_at: string | null } : unknown)
      >
    : never;

type StoredValue<C extends Columns[string]> =
  | StoredByKind<C>[C['~types']['kind']]
  | (C['~types']['isNullable'] extends false ? never : null);

interface StoredByKind<C extends Column> {
  text: string;
  integer: number;
  real: number;
  flag: number;
  time: string;
  choice: C['~types']['sent'];
  json: string;
  texts: string;
  ref: number;
  visibility: C['~types']['sent'];
}

/** The table of a resource whose columns have types. */
export type TableOf<R extends Resource> = SQLiteTableWithColumns<{
  name: string;
  schema: undefined;
  dialect: 'sqlite';
  columns: ColumnsOf<StoredOf<R>>;
}>;

type ColumnsOf<Row> = {
  [K in keyof Row]: SQLiteColumn<{
    name: K & string;
    tableName: string;
    dataType: 'custom';
    columnType: string;
    data: NonNullable<Row[K]>;
    driverParam: unknown;
    notNull: null extends Row[K] ? false : true;
    hasDefault: boolean;
    isPrimaryKey: false;
    isAutoincrement: false;
    hasRuntimeDefault: false;
    enumValues: undefined;
    generated: undefined;
  }>;
};

/** Returns the table of a resource with the types of its columns. */
export function tableOf<R extends Resource>({ definition }: R): TableOf<R> {
  return definition.table as unknown as TableOf<R>;
}
