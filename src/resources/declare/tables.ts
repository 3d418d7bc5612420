import {
  check,
  integer,
  real,
  type SQLiteColumn,
  type SQLiteColumnBuilderBase,
  type SQLiteTableExtraConfigValue,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core';
import { users } from '../../models/users.ts';
import type { ColumnData } from './column.ts';
import type { Definition, ResourceTable } from './definition.ts';
import { createIndexes, type Indexed } from './indexes.ts';
import {
  createDaysTable,
  createEventsTable,
  createHoursTable,
  createRevisionsTable,
  createTextsTable,
  createViewsTable,
  type RelatedTables,
} from './related-tables.ts';

type Builders = Record<string, SQLiteColumnBuilderBase>;
type ColumnsData = Readonly<Record<string, ColumnData>>;

/** Returns the table of a resource, with the checks of its columns and the indexes of its lists. */
export function createTable(columns: ColumnsData, of: Indexed): ResourceTable {
  const builders = Object.entries(columns).map(([name, data]) => [name, builderOf(data)]);
  const all = {
    id: integer().primaryKey({ autoIncrement: true }),
    owner_id: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    ...(Object.fromEntries(builders) as Builders),
    version: integer().notNull().default(1),
    created_at: text().notNull(),
    updated_at: text().notNull(),
    ...(of.hasBin && { deleted_at: text() }),
  };
  const extras = (table: Record<string, SQLiteColumn>) => [
    ...createIndexes(of, table),
    ...createChecks(of.name, columns, table),
  ];
  return sqliteTable(of.name, all as Builders, extras) as unknown as ResourceTable;
}

/** Returns the further tables that the options of a resource need. */
export function createRelatedTables(
  definition: Pick<
    Definition,
    'one' | 'table' | 'fields' | 'filters' | 'hasHistory' | 'hasEvents' | 'hasViews'
  >,
): RelatedTables {
  const { one, table, fields, filters, hasHistory, hasEvents, hasViews } = definition;
  const owner = { one, id: () => table.id };
  const lists = fields.filter(({ name, kind }) => kind === 'texts' && Object.hasOwn(filters, name));
  return {
    ...(hasHistory && { revisions: createRevisionsTable(owner) }),
    ...(hasEvents && { events: createEventsTable(owner) }),
    ...(hasViews && {
      views: createViewsTable(owner),
      hours: createHoursTable(owner),
      days: createDaysTable(owner),
    }),
    texts: Object.fromEntries(lists.map(({ name }) => [name, createTextsTable(owner, name)])),
  };
}

/** All tables of a resource. */
export function tablesOf({ table, tables: { texts, ...others } }: Definition) {
  return [table, ...Object.values(others), ...Object.values(texts)];
}

function builderOf(data: ColumnData): SQLiteColumnBuilderBase {
  const plain = data.type === 'text' ? text() : data.type === 'real' ? real() : integer();
  const builder = plain as ReturnType<typeof integer>;
  const { ref } = data;
  if (ref) builder.references(() => ref.to().table.id, { onDelete: ref.onDelete });
  if (!data.isNullable) builder.notNull();
  if (data.default?.isInTable) builder.default(storedDefault(data) as number);
  return builder;
}

/** A default as the table stores it: JSON is a text, and a flag is 0 or 1. */
function storedDefault({ kind, default: declared }: ColumnData): unknown {
  const value = declared?.value;
  if (value === null) return value;
  if (kind === 'json' || kind === 'texts') return JSON.stringify(value);
  return kind === 'flag' ? Number(value) : value;
}

function createChecks(
  name: string,
  columns: ColumnsData,
  table: Record<string, SQLiteColumn>,
): SQLiteTableExtraConfigValue[] {
  return Object.entries(columns).flatMap(([field, data]) => {
    const column = table[field];
    return data.check && column ? [check(`${name}_${field}`, data.check(column))] : [];
  });
}
