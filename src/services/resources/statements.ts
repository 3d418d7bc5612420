import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { prepareChange, prepareRows, type Query } from '../../core/db/query.ts';
import { accountRemovals } from '../../models/users.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';

/** The columns that decide who may read or change a row, and its version. */
export type Access = Pick<Row, 'id' | 'owner_id' | 'version'> & Row;

/** The names of a resource's tables and of the columns that refer to its rows, as SQL. */
export function tablesOf({ name, one }: Pick<Definition, 'name' | 'one'>) {
  return {
    rows: sql.identifier(name),
    /** The column of the other tables that holds the id of a row. */
    rowId: sql.identifier(`${one}_id`),
    revisions: sql.identifier(`${one}_revisions`),
    events: sql.identifier(`${one}_events`),
    views: sql.identifier(`${one}_views`),
    hours: sql.identifier(`${one}_hours`),
    days: sql.identifier(`${one}_days`),
  };
}

/** SQL that is true unless the account that owns the row was deleted. */
export function isOwned({ name }: Pick<Definition, 'name'>): SQL {
  return sql`${sql.identifier(name)}.owner_id not in (select ${sql.identifier('user_id')} from ${accountRemovals})`;
}

/** The columns of a row, with its views if they are counted. For queries that join the views. */
export function columnsOf(def: Definition): SQL {
  const { rows, views } = tablesOf(def);
  const columns = namesOf(def).map((name) => sql`${rows}.${sql.identifier(name)}`);
  if (def.hasViews) columns.push(sql`${views}.views`);
  return sql.join(columns, sql`, `);
}

/** The names of the columns of a resource's table. */
export function namesOf({ table }: Pick<Definition, 'table'>): string[] {
  return Object.keys(getTableColumns(table));
}

/** ` join` with the views of the rows, if they are counted. */
function withViews(def: Definition): SQL {
  const { rows, views, rowId } = tablesOf(def);
  return def.hasViews ? sql` join ${views} on ${views}.${rowId} = ${rows}.id` : sql``;
}

type ById = { id: number };

export type RowStatements<R extends Row = Row> = ReturnType<typeof createRowStatements<R>>;

/** The prepared statements of one row of a resource. */
export function createRowStatements<R extends Row>(def: Definition) {
  const { rows } = tablesOf(def);
  const isShown = sql`${rows}.id = ${sql.placeholder('id')} and ${isOwned(def)}`;
  const stored = namesOf(def).filter((name) => name !== 'id');
  const access = sql.join(
    accessNames(def).map((name) => sql.identifier(name)),
    sql`, `,
  );
  return {
    /** The row, unless its owner was deleted. */
    byId: prepareRows<ById, R>(
      sql`select ${columnsOf(def)} from ${rows}${withViews(def)} where ${isShown}`,
    ),

    /** The columns that decide on access to the row. */
    accessById: prepareRows<ById, Access>(sql`select ${access} from ${rows} where ${isShown}`),

    insert: prepareChange<Row>(
      sql`insert into ${rows} (${sql.join(stored.map(sql.identifier), sql`, `)}) values (${sql.join(stored.map(sql.placeholder), sql`, `)})`,
    ),

    /** Sets columns of the row. */
    update: createUpdates(rows),

    erase: prepareChange<ById>(sql`delete from ${rows} where id = ${sql.placeholder('id')}`),
  };
}

/** Changes name a few columns of the many that they may name. */
const MAX_UPDATES = 50;

function createUpdates(rows: SQL | ReturnType<typeof sql.identifier>) {
  const prepared = new Map<string, Query<Record<string, unknown>, unknown>>();
  const prepareUpdate = (names: readonly string[]) => {
    const set = names.map((name) => sql`${sql.identifier(name)} = ${sql.placeholder(name)}`);
    return prepareChange(
      sql`update ${rows} set ${sql.join(set, sql`, `)} where id = ${sql.placeholder('id')}`,
    );
  };
  return (names: readonly string[]) => {
    const key = names.join();
    const known = prepared.get(key) ?? prepareUpdate(names);
    if (prepared.size >= MAX_UPDATES) prepared.clear();
    prepared.set(key, known);
    return known;
  };
}

/** A rule may look at all columns. */
function accessNames(def: Definition): string[] {
  if (typeof def.read === 'function' || typeof def.write === 'function') return namesOf(def);
  const names = ['id', 'owner_id', 'version'];
  if (def.hasVisibility) names.push(visibilityOf(def));
  if (def.hasBin) names.push('deleted_at');
  return names;
}

/** The name of the field that decides who may read a row. */
export function visibilityOf({ fields }: Pick<Definition, 'fields'>): string {
  return fields.find(({ kind }) => kind === 'visibility')?.name ?? 'visibility';
}
