import { Database } from 'bun:sqlite';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { typeCheck } from '../portable-schema.ts';
import { type Catalog, createCatalog } from './catalog.ts';
import { changesOf } from './changes.ts';
import {
  type Derived,
  type DerivedGroup,
  dropStale,
  foreignObjects,
  groupOf,
  planDerived,
} from './derived.ts';
import { runOrExplain } from './explained.ts';
import { planIndexes } from './indexes.ts';
import { areEqual, readRecords, type SchemaRecord, writeRecords } from './records.ts';
import { renderTable, type TableSql } from './render.ts';
import type { ColumnShape, Queryable, TableShape } from './shape.ts';
import { suggestChange, suggestRename } from './suggestion.ts';
import { quoted } from './tokens.ts';

/** The tables that a resource needs. */
export interface ResourceSchema {
  resource: string;
  tables: readonly SQLiteTable[];
  derived?: readonly Derived[];
}

export interface SchemaPlan {
  /** The statements that add what is missing. Empty if a table is refused. */
  steps: string[];
  refusals: Refusal[];
  /** Sentences about tables that no resource declares any more. */
  notices: string[];
  /** All that the engine has made once the steps ran; undefined if it is recorded already. */
  records: SchemaRecord[] | undefined;
}

export interface PlanOptions {
  /** The names that resources must not use. */
  reserved?: ReadonlySet<string>;
  /** The tables whose rows a migration has changed: what is derived from them is built again. */
  written?: ReadonlySet<string>;
}

/** A change that drops or narrows data, or may fail. */
export interface Refusal {
  table: string;
  column?: string;
  reason: string;
  /** The statements for a migration that solves all refusals of the table. Empty if none can. */
  sql: string;
}

/**
 * Compares the database with the tables of resources. Nothing is dropped except indexes and derived
 * objects that the engine made: every other difference is refused. Throws StartupError for a
 * declaration that SQLite cannot create.
 */
export function planSchema(
  client: Queryable,
  resources: readonly ResourceSchema[],
  { reserved = new Set(), written = new Set() }: PlanOptions = {},
): SchemaPlan {
  using memory = new Database(':memory:');
  const declared = declareAll(memory, resources);
  const records = readRecords(client);
  const context: Context = {
    file: createCatalog(client),
    wanted: createCatalog(memory),
    memory,
    reserved,
    written,
    records,
    made: new Set(records.filter(({ kind }) => kind !== 'table').map(({ name }) => name)),
    names: new Set(declared.map(({ sql }) => sql.name)),
    groups: resources.flatMap(({ resource, derived = [] }) =>
      derived.map((group) => ({ resource, ...groupOf(group) })),
    ),
  };
  const plans = declared.map((table) => planTable(table, context));
  const derived = planAllDerived(context);
  const refusals = [...plans.flatMap((it) => it.refusals), ...derived.refusals];
  const after = recordsAfter(declared, context);
  const isPlanned = refusals.length === 0;
  return {
    steps: isPlanned
      ? [...derived.drops, ...plans.flatMap((it) => it.steps), ...derived.creates]
      : [],
    refusals,
    notices: noticesOf(context),
    records: isPlanned && !areEqual(after, records) ? after : undefined,
  };
}

/** Runs the steps of a plan without refusals. The caller has opened a transaction. */
export function applySchema(client: Database, { steps, records }: SchemaPlan): void {
  for (const step of steps) runOrExplain(client, step, 'The schema cannot be changed');
  if (records) writeRecords(client, records);
}

interface Context {
  file: Catalog;
  wanted: Catalog;
  /** The database of `wanted`. */
  memory: Database;
  reserved: ReadonlySet<string>;
  written: ReadonlySet<string>;
  records: readonly SchemaRecord[];
  /** The names of indexes and derived objects that the engine may drop. */
  made: ReadonlySet<string>;
  /** The names of all declared tables. */
  names: ReadonlySet<string>;
  groups: readonly ({ resource: string } & DerivedGroup)[];
}

interface DeclaredTable {
  resource: string;
  sql: TableSql;
  shape: TableShape;
}

/** Creates everything in `memory`, and reads the tables back in SQLite's own form. */
function declareAll(memory: Database, resources: readonly ResourceSchema[]): DeclaredTable[] {
  const tables = resources.flatMap(({ resource, tables }) =>
    tables.map((table) => ({ resource, sql: renderTable(table) })),
  );
  const statements = [
    ...tables.flatMap(({ sql }) => [sql.create, ...sql.indexes]),
    ...resources.flatMap(({ derived = [] }) => derived.flatMap(({ create }) => create)),
  ];
  memory.run('BEGIN');
  for (const it of statements) runOrExplain(memory, it, 'SQLite refuses a declared table');
  memory.run('COMMIT');
  const { table: shapeOf } = createCatalog(memory);
  return tables.map((it) => ({ ...it, shape: shapeOf(it.sql.name) as TableShape }));
}

type TablePlan = Pick<SchemaPlan, 'steps' | 'refusals'>;

function planTable({ sql, shape }: DeclaredTable, context: Context): TablePlan {
  const { file, reserved, made } = context;
  const table = sql.name;
  const refuse = (reason: string, suggestion = ''): TablePlan => ({
    steps: [],
    refusals: [{ table, reason, sql: suggestion }],
  });
  if (reserved.has(table)) return refuse('has the name of a table of Hutch itself');
  const found = file.table(table);
  if (!found) {
    if (file.object(table)) return refuse('has the name of a view or another object');
    const old = oldNameOf(shape, context);
    if (old === undefined) return { steps: [sql.create, ...sql.indexes], refusals: [] };
    const reason = `is new and has the columns of ${old}, which is not declared any more`;
    return refuse(reason, suggestRename(old, shape));
  }
  const changes = changesOf(found, shape);
  const indexes = planIndexes(found, shape, changes, made);
  const problems = [...changes.problems, ...indexes.problems];
  if (problems.length === 0) {
    const added = changes.added.map((column) => addColumn(sql, found, column));
    return { steps: [...added, ...indexes.steps], refusals: [] };
  }
  const suggestion =
    changes.problems.length > 0
      ? suggestChange({ found, wanted: shape, changes, made, keep: kept(found, shape, context) })
      : [...changes.added.map((column) => addColumn(sql, found, column)), ...indexes.sql]
          .map((statement) => `${statement};`)
          .join('\n');
  const refusals = problems.map((it) => ({ table, ...it, sql: suggestion }));
  return { steps: [], refusals };
}

function addColumn({ name, columns }: TableSql, found: TableShape, column: ColumnShape): string {
  const add = `ALTER TABLE ${quoted(name)} ADD COLUMN ${columns[column.name]}`;
  const hasTypes = found.isStrict || found.columns.length > 1;
  // A table of row ids alone has no check of types by which the portable form knows a STRICT table.
  return hasTypes
    ? add
    : `${add} ${typeCheck({ ...column, notnull: Number(column.isRequired), pk: 0 })}`;
}

/** The statements that create the indexes and a person's triggers of a rebuilt table. */
function kept(found: TableShape, shape: TableShape, { file, memory, made }: Context): string[] {
  const declared = shape.indexes.map(({ sql }) => sql);
  const names = new Set(shape.indexes.map(({ name }) => name));
  const isOwn = ({ name }: { name: string }) => !made.has(name) && !names.has(name);
  const triggers = file.triggersOf(found.name);
  const own = [...found.indexes.filter(isOwn), ...triggers.filter(isOwn)].map(({ sql }) => sql);
  return [...declared, ...own.filter((sql) => isPossible(memory, sql))];
}

/** Returns false for an index of a column that the table has no more. */
function isPossible(memory: Database, sql: string): boolean {
  memory.run('SAVEPOINT attempt');
  try {
    memory.run(sql);
    return true;
  } catch {
    return false;
  } finally {
    memory.run('ROLLBACK TO attempt');
    memory.run('RELEASE attempt');
  }
}

/** The names of recorded tables that exist and are not declared. */
function undeclared({ file, records, names }: Context): string[] {
  return records
    .filter(({ kind, name }) => kind === 'table' && !names.has(name) && file.object(name))
    .map(({ name }) => name);
}

/** The undeclared table with the same columns, of which `shape` may be the new name. */
function oldNameOf(shape: TableShape, context: Context): string | undefined {
  const columns = (table: TableShape | undefined) => table?.columns.map(({ name }) => name).sort();
  const own = columns(shape)?.join();
  return undeclared(context).find((name) => columns(context.file.table(name))?.join() === own);
}

function noticesOf(context: Context): string[] {
  return undeclared(context).map(
    (name) => `No resource declares the table ${name} any more. It stays as it is.`,
  );
}

function planAllDerived(context: Context) {
  const { file, wanted, records, written, made, names, groups } = context;
  const isDue = (group: DerivedGroup) =>
    written.has(group.of) || (group.fill.length > 0 && !made.has(fillName(group)));
  const plans = groups.map((group) => planDerived(file, wanted, group, isDue(group)));
  const refusals: Refusal[] = groups.flatMap((group) =>
    foreignObjects(file, wanted, group, made).map((name) => ({
      table: group.of,
      reason: `needs the name ${name}, which another object has`,
      sql: '',
    })),
  );
  const objects = new Set(groups.flatMap((group) => group.names));
  return {
    refusals,
    drops: [
      ...dropStale(file, records, { objects, tables: names }),
      ...plans.flatMap((it) => it.drops),
    ],
    creates: plans.flatMap((it) => it.creates),
  };
}

/** The name under which it is recorded that the statements of a group have filled its objects. */
function fillName({ hash }: DerivedGroup): string {
  return `fill ${hash.slice(0, 16)}`;
}

/** The records after the steps: all that is declared, and of the rest what still exists. */
function recordsAfter(
  tables: readonly DeclaredTable[],
  { file, records, names, groups }: Context,
): SchemaRecord[] {
  const declared: SchemaRecord[] = [
    ...tables.flatMap(({ resource, shape: { name, indexes } }) => [
      { name, kind: 'table' as const, resource, of: name },
      ...indexes.map((it) => ({ name: it.name, kind: 'index' as const, resource, of: name })),
    ]),
    ...groups.flatMap(({ resource, of, ...group }) => [
      ...group.names.map((name) => ({ name, kind: 'derived' as const, resource, of })),
      ...(group.fill.length > 0
        ? [{ name: fillName({ of, ...group }), kind: 'fill' as const, resource, of }]
        : []),
    ]),
  ];
  const isDeclared = new Set(declared.map(({ name }) => name));
  const others = records.filter(
    ({ name, of }) => !isDeclared.has(name) && !names.has(of) && file.object(of),
  );
  return [...declared, ...others];
}
