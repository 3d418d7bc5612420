import { expect, test } from 'bun:test';
import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  real,
  type SQLiteColumn,
  type SQLiteTable,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import fc from 'fast-check';
import { SchemaRefusal } from '../../../../src/core/db/schema/upgrade.ts';
import { StartupError } from '../../../../src/core/exceptions.ts';
import { createFolder, createMemoryFolder, notesWith } from './folder.ts';

const SEED = 20261127;
const RUNS = 60;
/** In a file a start takes many times as long, and its tables have the portable form. */
const RUNS_IN_FILES = 5;

/** A column of a random declaration. */
interface Column {
  type: 'text' | 'integer' | 'real';
  isRequired: boolean;
  hasDefault: boolean;
  hasCheck: boolean;
  isReference: boolean;
  index: 'none' | 'plain' | 'unique';
}
type Declaration = Partial<Record<'a' | 'b' | 'c', Column>>;

const column = fc.record<Column>({
  type: fc.constantFrom('text', 'text', 'integer', 'real'),
  isRequired: fc.boolean(),
  hasDefault: fc.boolean(),
  hasCheck: fc.boolean(),
  isReference: fc.boolean(),
  index: fc.constantFrom('none', 'none', 'plain', 'unique'),
});
/** What a step does to a column of the declaration before it. */
type Edit = 'keep' | 'drop' | Column;
const edit = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Edit>('keep') },
  { weight: 1, arbitrary: fc.constant<Edit>('drop') },
  { weight: 3, arbitrary: column },
);
const edits = fc.record({ a: edit, b: edit, c: edit });

function edited(declared: Declaration, step: Record<keyof Declaration, Edit>): Declaration {
  const next = { ...declared };
  for (const name of ['a', 'b', 'c'] as const) {
    const change = step[name];
    if (change === 'drop') delete next[name];
    else if (change !== 'keep') next[name] = change;
  }
  return next;
}

const lists = sqliteTable('lists', { id: integer().primaryKey() });
const DEFAULTS = { text: 'abc', integer: 7, real: 1.5 };

function tableOf(declared: Declaration): SQLiteTable {
  const entries = Object.entries(declared);
  const columns = Object.fromEntries(entries.map(([name, it]) => [name, builderOf(it)]));
  return notesWith(columns, (table) =>
    entries.flatMap(([name, it]) => {
      const own = table[name] as SQLiteColumn;
      return [
        ...(it.hasCheck ? [check(`notes_${name}`, sql`length(${own}) between 1 and 3`)] : []),
        ...(it.index === 'plain' ? [index(`notes_${name}`).on(own)] : []),
        ...(it.index === 'unique' ? [uniqueIndex(`notes_${name}_unique`).on(own)] : []),
      ];
    }),
  );
}

function builderOf({ type, isRequired, hasDefault, isReference }: Column) {
  const plain = { text: text(), integer: integer(), real: real() }[type];
  const builder = plain as ReturnType<typeof text>;
  if (isReference && type === 'integer') builder.references(() => lists.id as never);
  if (isRequired) builder.notNull();
  if (hasDefault) builder.default(DEFAULTS[type] as string);
  return builder;
}

type Folder = ReturnType<typeof createMemoryFolder>;

/** The rows by column, and the definitions. */
function stateOf(folder: Folder) {
  const columns = folder.rows(`select name from pragma_table_info('notes')`).flat().map(String);
  const values = columns.map((name) => [
    name,
    folder.rows(`select "${name}" from notes order by id`).flat(),
  ]);
  return {
    columns: Object.fromEntries(values) as Record<string, unknown[]>,
    schema: folder.rows('select type, name, sql from sqlite_master'),
  };
}

/** Adds rows, as far as the table accepts them. */
function addRows(folder: Folder, declared: Declaration) {
  const names = Object.keys(declared);
  for (const value of [`'x'`, `'yz'`, '2', '1.25', 'null']) {
    const list = names.map((name) => `"${name}"`).join(', ');
    const values = names.map(() => value).join(', ');
    const insert = names.length === 0 ? 'default values' : `(${list}) values (${values})`;
    folder.run(`insert or ignore into lists values (1), (2)`);
    try {
      folder.run(`insert into notes ${insert}`);
    } catch {
      // The table refuses the value, as it may.
    }
  }
}

const isTried = { applied: 0, refused: 0, solved: 0, failed: 0 };

test('each of a sequence of declarations is applied with all rows, or refused with nothing changed', () => {
  fc.assert(propertyOf(createMemoryFolder), { seed: SEED, numRuns: RUNS });
  expect(Math.min(...Object.values(isTried))).toBeGreaterThan(9);
}, 60_000);

test('this also holds for files', () => {
  fc.assert(propertyOf(createFolder), { seed: SEED, numRuns: RUNS_IN_FILES });
}, 60_000);

function propertyOf(create: () => Folder) {
  const steps = fc.array(edits, { minLength: 2, maxLength: 5 });
  return fc.property(steps, fc.boolean(), (all, followsSuggestions) => {
    const folder = create();
    let current: Declaration = {};
    folder.start(lists, tableOf(current));
    for (const step of all) {
      const next = edited(current, step);
      if (tryNext(folder, next, followsSuggestions)) current = next;
      addRows(folder, current);
      expect(folder.rows('pragma integrity_check')).toEqual([['ok']]);
      expect(folder.rows('pragma foreign_key_check')).toEqual([]);
    }
  });
}

/** Returns true if the declaration was applied, perhaps after the suggested migration. */
function tryNext(folder: Folder, next: Declaration, followsSuggestions: boolean): boolean {
  const table = tableOf(next);
  const before = stateOf(folder);
  try {
    folder.start(lists, table);
    isTried.applied++;
    expectSameRows(before, stateOf(folder), Object.keys(before.columns));
    return true;
  } catch (error) {
    if (!(error instanceof SchemaRefusal)) throw error;
    isTried.refused++;
    expect(stateOf(folder)).toEqual(before);
    if (!followsSuggestions) return false;
    return trySuggestion(folder, table, error);
  }
}

/** The suggested migration keeps the columns that stay, or fails and changes nothing. */
function trySuggestion(folder: Folder, table: SQLiteTable, { refusals }: SchemaRefusal): boolean {
  const before = stateOf(folder);
  folder.write([...new Set(refusals.map((it) => it.sql))].join('\n'));
  try {
    folder.start(lists, table);
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    expect(error).not.toBeInstanceOf(SchemaRefusal);
    isTried.failed++;
    expect(stateOf(folder)).toEqual(before);
    folder.migrations.pop();
    return false;
  }
  isTried.solved++;
  expect(folder.start(lists, table)).toMatchObject({ migrations: [], steps: [] });
  const after = stateOf(folder);
  const kept = Object.keys(before.columns).filter((name) => name in after.columns);
  expectSameValues(before, after, kept);
  return true;
}

type State = ReturnType<typeof stateOf>;

function expectSameRows(before: State, after: State, columns: string[]) {
  for (const name of columns)
    expect(after.columns[name]).toEqual(before.columns[name] as unknown[]);
}

/** Values may have another type, and null may have become a value. */
function expectSameValues(before: State, after: State, columns: string[]) {
  for (const name of columns) {
    const old = before.columns[name] as unknown[];
    expect(after.columns[name]).toHaveLength(old.length);
    for (const [at, value] of old.entries()) {
      if (value !== null) expect(numberOr(after.columns[name]?.[at])).toEqual(numberOr(value));
    }
  }
}

/** The number that a text spells: 2 becomes 2.0 in a column of another type. */
function numberOr(value: unknown): unknown {
  return Number.isNaN(Number(value)) ? value : Number(value);
}
