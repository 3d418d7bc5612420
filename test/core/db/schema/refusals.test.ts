import { describe, expect, test } from 'bun:test';
import { sql } from 'drizzle-orm';
import {
  check,
  integer,
  primaryKey,
  type SQLiteTable,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import { createFolder, notesWith } from './folder.ts';

const ROWS = `insert into notes (title) values ('One'), ('Two')`;
const title = () => text().notNull();
const lists = sqliteTable('lists', { id: integer().primaryKey(), name: text() });
const plain = notesWith({ title: title() });
const withColor = notesWith({ title: title(), color: text() });
const limited = (max: number) =>
  notesWith({ title: title() }, (it) => [
    check('notes_title', sql`length(${it.title}) <= ${sql.raw(String(max))}`),
  ]);
const listed = (onDelete: 'cascade' | 'restrict') =>
  notesWith({ title: title(), list_id: integer().references(() => lists.id, { onDelete }) });
const withSlug = { title: title(), slug: text().notNull() };

interface Case {
  change: string;
  before: SQLiteTable[];
  after: SQLiteTable[];
  /** A part of the reason. */
  reason: string;
}

const CASES: Case[] = [
  {
    change: 'a column that is gone',
    before: [withColor],
    after: [plain],
    reason: 'notes.color is not declared any more',
  },
  {
    change: 'a column with another type',
    before: [withColor],
    after: [notesWith({ title: title(), color: integer() })],
    reason: 'notes.color is TEXT in the database and INTEGER in the declaration',
  },
  {
    change: 'a column that must not be null any more',
    before: [withColor],
    after: [notesWith({ title: title(), color: title() })],
    reason: 'notes.color is nullable in the database and NOT NULL in the declaration',
  },
  {
    change: 'a column that may be null',
    before: [plain],
    after: [notesWith({ title: text() })],
    reason: 'notes.title is NOT NULL in the database and nullable in the declaration',
  },
  {
    change: 'a column with another default',
    before: [notesWith({ title: title().default('a') })],
    after: [notesWith({ title: title().default('b') })],
    reason: `notes.title has the default 'a' in the database and 'b' in the declaration`,
  },
  {
    change: 'a new column without null and default',
    before: [plain],
    after: [notesWith(withSlug)],
    reason: 'notes.slug is new, NOT NULL and has no default',
  },
  {
    change: 'a new unique column without null and default',
    before: [plain],
    after: [notesWith(withSlug, (it) => [uniqueIndex('notes_slug').on(it.slug)])],
    reason: 'notes.slug is new, NOT NULL and has no default',
  },
  {
    change: 'a new column whose check no default satisfies',
    before: [plain],
    after: [notesWith(withSlug, (it) => [check('notes_slug', sql`${it.slug} in ('red', 'blue')`)])],
    reason: 'notes.slug is new, NOT NULL and has no default',
  },
  {
    change: 'a new column with a default that is no constant',
    before: [plain],
    after: [notesWith({ title: title(), at: text().notNull().default(sql`(datetime('now'))`) })],
    reason: 'notes.at is new, and its default is no constant',
  },
  {
    change: 'a narrower check',
    before: [limited(9)],
    after: [limited(5)],
    reason: 'notes.title has the check (length("title") <= 5), which is new',
  },
  {
    change: 'a check that is gone',
    before: [limited(9)],
    after: [plain],
    reason: 'notes.title has the check (length("title") <= 9), which is not declared any more',
  },
  {
    change: 'a new check of an existing column',
    before: [plain],
    after: [limited(9)],
    reason: 'which is new',
  },
  {
    change: 'a reference with another action',
    before: [lists, listed('cascade')],
    after: [lists, listed('restrict')],
    reason: 'notes.list_id has the reference to lists (on delete restrict), which is new',
  },
  {
    change: 'a new unique index',
    before: [plain],
    after: [notesWith({ title: title() }, (it) => [uniqueIndex('notes_title').on(it.title)])],
    reason: 'has the unique index notes_title, which is new: rows may have equal values',
  },
  {
    change: 'a key without AUTOINCREMENT',
    before: [plain],
    after: [sqliteTable('notes', { id: integer().primaryKey(), title: title() })],
    reason: 'notes must be without AUTOINCREMENT',
  },
  {
    change: 'another key',
    before: [plain],
    after: [
      sqliteTable('notes', { id: integer().notNull(), title: title() }, (it) => [
        primaryKey({ columns: [it.id, it.title] }),
      ]),
    ],
    reason: 'notes must be WITHOUT ROWID',
  },
];

describe('refuses', () => {
  test.each(CASES)('$change, and changes nothing', ({ before, after, reason }) => {
    const folder = createFolder();
    folder.start(...before);
    folder.run(ROWS);
    const state = () => folder.rows('select type, name, sql from sqlite_master');
    const schema = state();
    const other = sqliteTable('others', { id: integer().primaryKey() });
    const { refusals, message } = folder.refusal(other, ...after);
    expect(refusals.length).toBeGreaterThan(0);
    expect(message).toContain(reason);
    expect(state()).toEqual(schema);
    expect(folder.rows('select id, title from notes')).toEqual([
      [1, 'One'],
      [2, 'Two'],
    ]);
  });
});

describe('the suggested migration, as it is written,', () => {
  test.each(CASES)('solves $change and keeps the rows', ({ before, after }) => {
    const folder = createFolder();
    folder.start(...before);
    folder.run(ROWS);
    folder.write(sqlOf(folder.refusal(...after)));
    expect(folder.start(...after).migrations).toEqual(['0001_change']);
    expect(folder.start(...after)).toMatchObject({ steps: [], notices: [] });
    expect(folder.rows('select id, title from notes order by id')).toEqual([
      [1, 'One'],
      [2, 'Two'],
    ]);
    expect(folder.rows('pragma integrity_check')).toEqual([['ok']]);
  });

  test('keeps the rows of tables that refer to a rebuilt one', () => {
    const folder = createFolder();
    const marks = (parent: typeof plain) =>
      sqliteTable('marks', {
        id: integer().primaryKey(),
        note_id: integer()
          .notNull()
          .references(() => parent.id, { onDelete: 'cascade' }),
      });
    folder.start(withColor, marks(withColor));
    folder.run(ROWS);
    folder.run('insert into marks values (1, 1), (2, 2)');
    folder.write(sqlOf(folder.refusal(plain, marks(plain))));
    folder.start(plain, marks(plain));
    expect(folder.rows('select * from marks')).toEqual([
      [1, 1],
      [2, 2],
    ]);
    folder.run('delete from notes where id = 1');
    expect(folder.rows('select * from marks')).toEqual([[2, 2]]);
  });

  test('keeps ids of deleted rows from being used again', () => {
    const folder = createFolder();
    folder.start(withColor);
    folder.run(ROWS);
    folder.run('delete from notes');
    folder.write(sqlOf(folder.refusal(plain)));
    folder.start(plain);
    folder.run(`insert into notes (title) values ('Three')`);
    expect(folder.rows('select id from notes')).toEqual([[3]]);
  });

  test('keeps the indexes and triggers that a person made', () => {
    const folder = createFolder();
    folder.start(withColor);
    folder.run('create index by_hand on notes (title)');
    folder.run(
      `create trigger loud after insert on notes begin
         update notes set title = upper(title) where id = new.id; end`,
    );
    folder.write(sqlOf(folder.refusal(plain)));
    folder.start(plain);
    folder.run(`insert into notes (title) values ('one')`);
    expect(folder.rows('select title from notes')).toEqual([['ONE']]);
    expect(folder.rows(`select 1 from sqlite_master where name = 'by_hand'`)).toEqual([[1]]);
  });

  test('works next to triggers of other tables that write to a rebuilt one', () => {
    const folder = createFolder();
    folder.start(withColor, lists);
    folder.run(ROWS);
    folder.run(
      `create trigger mirror after insert on lists begin
         insert into notes (title) values (new.name); end`,
    );
    folder.write(sqlOf(folder.refusal(plain, lists)));
    folder.start(plain, lists);
    folder.run(`insert into lists values (1, 'Three')`);
    expect(folder.rows('select title from notes')).toEqual([['One'], ['Two'], ['Three']]);
  });

  test('fails and changes nothing if a row breaks a narrower check', () => {
    const folder = createFolder();
    folder.start(limited(9));
    folder.run(`insert into notes (title) values ('too long')`);
    folder.write(sqlOf(folder.refusal(limited(5))));
    expect(() => folder.start(limited(5))).toThrow('migrations/0001_change.sql:');
    expect(folder.rows('select title from notes')).toEqual([['too long']]);
    folder.migrations.pop();
    expect(folder.start(limited(9))).toMatchObject({ migrations: [] });
  });
});

describe('a possible rename', () => {
  const renamed = notesWith({ name: title() });

  test('of a column is shown as a rename first, which keeps the values', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(ROWS);
    const suggestion = sqlOf(folder.refusal(renamed));
    expect(suggestion).toContain('ALTER TABLE "notes" RENAME COLUMN "title" TO "name";');
    folder.write(suggestion);
    folder.start(renamed);
    expect(folder.rows('select name from notes')).toEqual([['One'], ['Two']]);
    expect(folder.start(renamed).steps).toEqual([]);
  });

  test('of a column is shown as drop and add second, which drops the values', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(ROWS);
    folder.write(secondReading(sqlOf(folder.refusal(renamed))));
    folder.start(renamed);
    expect(folder.rows('select id, name from notes')).toEqual([
      [1, ''],
      [2, ''],
    ]);
    expect(folder.start(renamed).steps).toEqual([]);
  });

  test('of a column with other changes is shown in the rebuilt table', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(ROWS);
    const both = notesWith({ name: text(), size: title() });
    const suggestion = sqlOf(folder.refusal(both));
    expect(suggestion).toContain('if "name" is not the new name, write NULL');
    folder.write(suggestion);
    folder.start(both);
    expect(folder.rows('select name, size from notes')).toEqual([
      ['One', ''],
      ['Two', ''],
    ]);
  });

  const memos = sqliteTable('memos', {
    id: integer().primaryKey({ autoIncrement: true }),
    title: title(),
  });

  test('of a table is shown as a rename first, which keeps the rows', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(ROWS);
    folder.write(sqlOf(folder.refusal(memos)));
    folder.start(memos);
    expect(folder.rows('select title from memos')).toEqual([['One'], ['Two']]);
    expect(folder.start(memos)).toMatchObject({ steps: [], notices: [] });
  });

  test('of a table is shown as a new table second, which leaves the old one', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(ROWS);
    folder.write(secondReading(sqlOf(folder.refusal(memos))));
    expect(folder.start(memos).notices).toHaveLength(1);
    expect(folder.rows('select title from notes')).toEqual([['One'], ['Two']]);
    expect(folder.rows('select title from memos')).toEqual([]);
  });
});

function sqlOf({ refusals }: { refusals: readonly { sql: string }[] }): string {
  return [...new Set(refusals.map(({ sql: it }) => it))].join('\n');
}

/** Takes the statements that stand in comments after the first reading. */
function secondReading(suggestion: string): string {
  const lines = suggestion.split('\n');
  const start = lines.findIndex((line) => line.startsWith('-- If it is not'));
  return lines
    .slice(start + 1)
    .map((line) => line.replace(/^-- /, ''))
    .join('\n');
}
