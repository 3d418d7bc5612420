import { desc, sql } from 'drizzle-orm';
import {
  index,
  integer,
  primaryKey,
  type SQLiteColumn,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core';
import { singular } from './names.ts';

/** The tables beside the table of a resource. Each exists only if an option needs it. */
export interface RelatedTables {
  readonly revisions?: RevisionsTable;
  readonly events?: EventsTable;
  readonly views?: ViewsTable;
  readonly hours?: HoursTable;
  readonly days?: DaysTable;
  /** For each filtered list of texts, a table with a row for each text. */
  readonly texts: Readonly<Record<string, TextsTable>>;
}

export type RevisionsTable = ReturnType<typeof createRevisionsTable>;
export type EventsTable = ReturnType<typeof createEventsTable>;
export type ViewsTable = ReturnType<typeof createViewsTable>;
export type HoursTable = ReturnType<typeof createHoursTable>;
export type DaysTable = ReturnType<typeof createDaysTable>;
export type TextsTable = ReturnType<typeof createTextsTable>;

/** The names of a resource, and the ids of its rows. */
export interface Owner {
  /** The singular name. */
  one: string;
  id: () => SQLiteColumn;
}

/** The id of a row, named after the resource, such as `item_id`. */
const rowId = ({ one, id }: Owner) =>
  integer(`${one}_id`).notNull().references(id, { onDelete: 'cascade' });

/** The changes of rows after their creation. */
export function createRevisionsTable(owner: Owner) {
  const name = `${owner.one}_revisions`;
  return sqliteTable(
    name,
    {
      row_id: rowId(owner),
      /** The version that this change created; version 1 is the creation and has no row. */
      version: integer().notNull(),
      action: text({ enum: ['update', 'delete', 'restore', 'revert'] }).notNull(),
      /** The account that changed it. No foreign key: the history outlives the account. */
      actor_id: integer().notNull(),
      at: text().notNull(),
      /** JSON object: the previous values of the changed fields. */
      before: text().notNull(),
    },
    (table) => [
      primaryKey({
        name: `${name}_${owner.one}_id_version`,
        columns: [table.row_id, table.version],
      }),
    ],
  );
}

/** The changes as sent to listeners, stored for a while so that they can resume. */
export function createEventsTable({ one }: Owner) {
  const name = `${one}_events`;
  return sqliteTable(
    name,
    {
      /** Ascends in commit order; clients send it as Last-Event-ID. */
      id: integer().primaryKey({ autoIncrement: true }),
      type: text({ enum: ['created', 'updated', 'deleted'] }).notNull(),
      row_id: integer(`${one}_id`).notNull(),
      owner_id: integer().notNull(),
      /** The audience: everyone, only the owner, or everyone except the owner. */
      audience: text({ enum: ['all', 'owner', 'others'] }).notNull(),
      version: integer().notNull(),
      at: text().notNull(),
    },
    (table) => [
      index(`${name}_at`).on(table.at),
      // A listener's position must not reveal events that it may not see.
      index(`${name}_others`).on(table.id).where(sql`${table.audience} <> 'owner'`),
      index(`${name}_own`).on(table.owner_id, table.id).where(sql`${table.audience} = 'owner'`),
    ],
  );
}

/** The views of rows: they change often, so they are apart from the rows. */
export function createViewsTable({ one, id }: Owner) {
  const name = `${one}_views`;
  return sqliteTable(
    name,
    {
      row_id: integer(`${one}_id`).primaryKey().references(id, { onDelete: 'cascade' }),
      /** All-time committed views; the most recent ones may be pending in memory. */
      views: integer().notNull().default(0),
      /** Views of the last 24 hours, 7 days and 30 days, as of the last sweep. */
      day: integer().notNull().default(0),
      week: integer().notNull().default(0),
      month: integer().notNull().default(0),
      /** True if everyone may see the row: popular lists show only these. */
      is_listed: integer({ mode: 'boolean' }).notNull().default(true),
    },
    (table) => {
      const isListed = sql`${table.is_listed} = 1`;
      const window = (of: 'day' | 'week' | 'month') =>
        index(`${name}_${of}`)
          .on(desc(table[of]), table.row_id)
          .where(sql`${isListed} and ${table[of]} > 0`);
      return [
        index(`${name}_all`).on(desc(table.views), table.row_id).where(isListed),
        window('day'),
        window('week'),
        window('month'),
      ];
    },
  );
}

/** Views of a row per hour, for the last 24 hours. `hour` is hours since 1970. */
export function createHoursTable(owner: Owner) {
  const name = `${owner.one}_hours`;
  return sqliteTable(
    name,
    { hour: integer().notNull(), row_id: rowId(owner), views: integer().notNull() },
    (table) => [
      primaryKey({ name: `${name}_hour_${owner.one}_id`, columns: [table.hour, table.row_id] }),
      index(`${name}_${owner.one}_id`).on(table.row_id, table.hour),
    ],
  );
}

/** Views of a row per UTC day, summed from its hours. `day` is days since 1970. */
export function createDaysTable(owner: Owner) {
  const name = `${owner.one}_days`;
  return sqliteTable(
    name,
    { day: integer().notNull(), row_id: rowId(owner), views: integer().notNull() },
    (table) => [
      primaryKey({ name: `${name}_day_${owner.one}_id`, columns: [table.day, table.row_id] }),
      index(`${name}_${owner.one}_id`).on(table.row_id, table.day),
    ],
  );
}

/** The texts of a list, one a row, such as the tags of items in `item_tags`. */
export function createTextsTable(owner: Owner, field: string) {
  const name = `${owner.one}_${field}`;
  const value = singular(field);
  return sqliteTable(
    name,
    {
      /** The only account that sees the row in lists; 0 for everyone, -1 for no one (in the bin). */
      viewer_id: integer().notNull(),
      value: text(value).notNull(),
      row_id: rowId(owner),
    },
    (table) => [
      primaryKey({
        name: `${name}_viewer_id_${value}_${owner.one}_id`,
        columns: [table.viewer_id, table.value, table.row_id],
      }),
      index(`${name}_${owner.one}_id`).on(table.row_id),
    ],
  );
}
