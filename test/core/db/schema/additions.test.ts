import { describe, expect, test } from 'bun:test';
import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import { users } from '../../../../src/models/users.ts';
import { createFolder, notesWith } from './folder.ts';

const title = () => text().notNull();
const plain = notesWith({ title: title() });

describe('a declared table', () => {
  test('is created with its columns, checks, references and indexes', () => {
    const folder = createFolder();
    const table = notesWith(
      {
        owner_id: integer()
          .notNull()
          .references(() => users.id, { onDelete: 'cascade' }),
        title: title(),
        price: real(),
        is_done: integer({ mode: 'boolean' }).notNull().default(false),
      },
      (it) => [
        check('notes_title', sql`length(${it.title}) between 1 and 9`),
        index('notes_open').on(it.title, it.id).where(sql`${it.is_done} = 0`),
      ],
    );
    folder.start(table);
    folder.run(`insert into users (email, email_key, username, username_key, is_active, role,
      created_at, updated_at) values ('a@b.c', 'a@b.c', 'ada', 'ada', 1, 'user', '', '')`);
    folder.run(`insert into notes (owner_id, title) values (1, 'One')`);
    for (const values of [`1, ''`, `2, 'One'`, `1, x'00'`]) {
      expect(() => folder.run(`insert into notes (owner_id, title) values (${values})`)).toThrow();
    }
    expect(folder.rows('select * from notes')).toEqual([[1, 1, 'One', null, 0]]);
    folder.run('delete from users');
    expect(folder.rows('select * from notes')).toEqual([]);
  });

  test('with a key of several columns has no row ids', () => {
    const folder = createFolder();
    const columns = { viewer: integer().notNull(), tag: text().notNull() };
    folder.start(
      sqliteTable('marks', columns, (it) => [primaryKey({ columns: [it.viewer, it.tag] })]),
    );
    expect(() => folder.rows('select rowid from marks')).toThrow();
    folder.run(`insert into marks values (1, 'a')`);
    expect(() => folder.run(`insert into marks values (1, 'a')`)).toThrow();
  });

  test('is read with its rules after the start that follows', () => {
    const folder = createFolder();
    expect(folder.start(plain).steps).toHaveLength(1);
    expect(folder.start(plain)).toEqual({ core: [], migrations: [], steps: [], notices: [] });
  });

  test('that SQLite cannot create stops the start', () => {
    const folder = createFolder();
    const broken = notesWith({ title: title() }, () => [check('x', sql`nonsense(title)`)]);
    expect(() => folder.start(broken)).toThrow('SQLite refuses a declared table');
  });

  test('cannot have the name of a table of Hutch', () => {
    const folder = createFolder();
    const refusal = folder.refusal(sqliteTable('sessions', { id: integer().primaryKey() }));
    expect(refusal.message).toContain('sessions has the name of a table of Hutch itself');
  });
});

describe('a new column', () => {
  const started = () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(`insert into notes (title) values ('One'), ('Two')`);
    return folder;
  };

  test('is added to existing rows as null or with its default', () => {
    const folder = started();
    const wider = notesWith({
      color: text(),
      title: title(),
      pinned: integer({ mode: 'boolean' }).notNull().default(true),
      tags: text({ mode: 'json' }).notNull().default(['a']),
    });
    expect(folder.start(wider).steps).toHaveLength(3);
    expect(folder.rows('select id, title, color, pinned, tags from notes')).toEqual([
      [1, 'One', null, 1, '["a"]'],
      [2, 'Two', null, 1, '["a"]'],
    ]);
    expect(folder.start(wider).steps).toEqual([]);
  });

  test('is added with its check and its reference', () => {
    const folder = started();
    const wider = notesWith(
      { title: title(), color: text(), user_id: integer().references(() => users.id) },
      (it) => [check('notes_color', sql`${it.color} in ('red', 'blue')`)],
    );
    folder.start(wider);
    expect(() => folder.run(`update notes set color = 'green'`)).toThrow('CHECK');
    expect(() => folder.run('update notes set user_id = 7')).toThrow('FOREIGN KEY');
    folder.run(`update notes set color = 'red'`);
    expect(folder.start(wider).steps).toEqual([]);
  });

  test('checks the types of its values', () => {
    const folder = started();
    folder.start(notesWith({ title: title(), color: text() }));
    expect(() => folder.run(`update notes set color = x'00'`)).toThrow('CHECK');
  });

  test('may have a unique index if existing rows get no value', () => {
    const folder = started();
    const wider = notesWith({ title: title(), slug: text() }, (it) => [
      uniqueIndex('notes_slug').on(it.slug),
    ]);
    folder.start(wider);
    folder.run(`update notes set slug = 'a' where id = 1`);
    expect(() => folder.run(`update notes set slug = 'a'`)).toThrow('UNIQUE');
  });
});

describe('an index', () => {
  const indexed = (name: string, column: 'title' | 'id') =>
    notesWith({ title: title() }, (it) => [index(name).on(it[column])]);
  const names = (folder: ReturnType<typeof createFolder>) =>
    folder
      .rows(`select name from sqlite_master where type = 'index' and tbl_name = 'notes'`)
      .flat();

  test('is created, changed and dropped with its declaration', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.start(indexed('notes_a', 'title'));
    expect(names(folder)).toEqual(['notes_a']);
    expect(folder.start(indexed('notes_a', 'id')).steps).toEqual([
      'DROP INDEX "notes_a"',
      'CREATE INDEX "notes_a" ON "notes" ("id")',
    ]);
    expect(folder.start(indexed('notes_b', 'id')).steps).toHaveLength(2);
    expect(names(folder)).toEqual(['notes_b']);
    folder.start(plain);
    expect(names(folder)).toEqual([]);
  });

  test('that a person made is never dropped', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run('create index by_hand on notes (title)');
    expect(folder.start(plain).steps).toEqual([]);
    folder.start(indexed('notes_a', 'title'));
    folder.start(plain);
    expect(names(folder)).toEqual(['by_hand']);
  });

  test('that a person made with the declared definition is adopted', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run('create index notes_a on notes(title)');
    expect(folder.start(indexed('notes_a', 'title')).steps).toEqual([]);
    folder.start(plain);
    expect(names(folder)).toEqual([]);
  });
});

describe('a resource that is gone', () => {
  test('keeps its table, rows and indexes, with a notice', () => {
    const folder = createFolder();
    folder.start(notesWith({ title: title() }, (it) => [index('notes_a').on(it.title)]));
    folder.run(`insert into notes (title) values ('One')`);
    const { steps, notices } = folder.start();
    expect({ steps, notices }).toEqual({
      steps: [],
      notices: ['No resource declares the table notes any more. It stays as it is.'],
    });
    expect(folder.rows('select title from notes')).toEqual([['One']]);
    expect(folder.rows(`select count(*) from sqlite_master where name = 'notes_a'`)).toEqual([[1]]);
  });

  test('is served again with its rows when it comes back', () => {
    const folder = createFolder();
    folder.start(plain);
    folder.run(`insert into notes (title) values ('One')`);
    folder.start();
    expect(folder.start(plain)).toMatchObject({ steps: [], notices: [] });
    expect(folder.rows('select title from notes')).toEqual([['One']]);
  });
});
