import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { previewUpgrade } from '../../../../src/core/db/db.ts';
import { readUserMigrations } from '../../../../src/core/db/schema/user-migrations.ts';
import { tempDir } from '../../../support.ts';
import { createFolder, notesWith } from './folder.ts';

const notes = notesWith({ title: text().notNull() });
const started = () => {
  const folder = createFolder();
  folder.start(notes);
  folder.run(`insert into notes (title) values ('One')`);
  return folder;
};

describe('a folder of migrations', () => {
  const folderWith = (...files: string[]) => {
    const folder = join(tempDir(), 'migrations');
    mkdirSync(folder);
    for (const file of files) writeFileSync(join(folder, file), `-- ${file}`);
    return folder;
  };

  test('is read in the order of its numbers', () => {
    const tags = readUserMigrations(folderWith('0010_b.sql', '0002_a.sql', 'notes.txt'));
    expect(tags).toEqual([
      { tag: '0002_a', sql: '-- 0002_a.sql' },
      { tag: '0010_b', sql: '-- 0010_b.sql' },
    ]);
  });

  test('may be missing', () => {
    expect(readUserMigrations(join(tempDir(), 'none'))).toEqual([]);
  });

  test('is refused with another name or two files of one number', () => {
    const read =
      (...files: string[]) =>
      () =>
        readUserMigrations(folderWith(...files));
    expect(read('1_a.sql')).toThrow('must have a name such as 0001_notes.sql');
    expect(read('0001_a.sql', '0001_b.sql')).toThrow('have the same number');
  });
});

describe('a migration', () => {
  test('runs once, before what the resources declare is added', () => {
    const folder = started();
    folder.write(`alter table notes rename column title to name;`);
    const renamed = notesWith({ name: text().notNull(), color: text() });
    expect(folder.start(renamed)).toMatchObject({
      migrations: ['0001_change'],
      steps: ['ALTER TABLE "notes" ADD COLUMN "color" text'],
    });
    expect(folder.start(renamed)).toMatchObject({ migrations: [], steps: [] });
    expect(folder.rows('select * from notes')).toEqual([[1, 'One', null]]);
  });

  test('that was edited after it ran is refused', () => {
    const folder = started();
    folder.write(`update notes set title = 'Two'`);
    folder.start(notes);
    folder.migrations[0] = { tag: '0001_change', sql: `update notes set title = 'Three'` };
    expect(() => folder.start(notes)).toThrow('migrations/0001_change.sql was edited after');
  });

  test('that ran and is missing is refused', () => {
    const folder = started();
    folder.write(`update notes set title = 'Two'`);
    folder.start(notes);
    folder.migrations.length = 0;
    expect(() => folder.start(notes)).toThrow('migrations/0001_change.sql is missing');
  });

  test('with a lower number than one that ran is refused', () => {
    const folder = started();
    folder.migrations.push({ tag: '0002_b', sql: 'select 1' });
    folder.start(notes);
    folder.migrations.unshift({ tag: '0001_a', sql: 'select 1' });
    expect(() => folder.start(notes)).toThrow('comes before 0002_b');
  });

  test('that fails changes nothing, and is named with its line', () => {
    const folder = started();
    folder.write(`update notes set title = 'Two'`);
    folder.write(
      `update notes set title = 'Three';\n\ninsert into notes (id, title) values (1, 'x');`,
    );
    expect(() => folder.start(notes)).toThrow('migrations/0002_change.sql:3 fails: UNIQUE');
    expect(folder.rows('select title from notes')).toEqual([['One']]);
    folder.migrations.pop();
    expect(folder.start(notes).migrations).toEqual(['0001_change']);
  });

  test('that leaves a resource refused changes nothing', () => {
    const folder = started();
    folder.write(`update notes set title = 'Two'`);
    expect(folder.refusal(notesWith({ name: text().notNull() })).message).toContain(
      'migrations/0002_notes.sql',
    );
    expect(folder.rows('select title from notes')).toEqual([['One']]);
  });

  test('that would leave a reference without its row is refused', () => {
    const folder = started();
    const marks = sqliteTable('marks', { note_id: integer().references(() => notes.id) });
    folder.start(notes, marks);
    folder.run('insert into marks values (1)');
    folder.write('delete from notes');
    expect(() => folder.start(notes, marks)).toThrow('invalid foreign keys');
    expect(folder.rows('select title from notes')).toEqual([['One']]);
  });

  test('may drop a column of a started table', () => {
    const folder = createFolder();
    folder.start(notesWith({ title: text().notNull(), color: text() }));
    folder.run(`insert into notes (title, color) values ('One', 'red')`);
    folder.write('alter table notes drop column color');
    expect(folder.start(notes)).toMatchObject({ steps: [] });
    expect(folder.rows('select * from notes')).toEqual([[1, 'One']]);
  });

  test('may read tables of Hutch', () => {
    const folder = started();
    folder.write('insert into notes (title) select count(*) from users');
    folder.start(notes);
    expect(folder.rows('select title from notes')).toEqual([['One'], ['0']]);
  });

  test('may contain triggers, comments and texts with semicolons', () => {
    const folder = started();
    folder.write(`-- One; two.
      create trigger loud after insert on notes begin
        update notes set title = case when new.title = ';' then 'semicolon' else 'end;' end
        where id = new.id;
        select 1;
      end;
      insert into notes (title) values (';')`);
    folder.start(notes);
    expect(folder.rows('select title from notes')).toEqual([['One'], ['semicolon']]);
  });

  test('works with values that only the real rows have', () => {
    const folder = started();
    folder.write(`insert into notes (title) values ((select title || '!' from notes))`);
    expect(folder.preview(notes).migrations).toEqual(['0001_change']);
    folder.start(notes);
    expect(folder.rows('select title from notes')).toEqual([['One'], ['One!']]);
  });
});

describe('a migration that touches what belongs to Hutch', () => {
  const table = 'a table of Hutch itself';
  const cases: [sql: string, reason: string][] = [
    ['delete from users', `must not change users, ${table}`],
    [`update items set title = ''`, `must not change items, ${table}`],
    [`insert into server_keys values ('a', x'00')`, `must not change server_keys, ${table}`],
    ['drop table sessions', `must not change sessions, ${table}`],
    ['alter table users add column phone text', `must not change users, ${table}`],
    ['alter table users rename to people', `must not change users, ${table}`],
    ['create index mine on items (title)', `must not change items, ${table}`],
    ['drop index items_owner_id', `must not change items, ${table}`],
    [
      'create trigger t after insert on users begin select 1; end',
      `must not change users, ${table}`,
    ],
    ['delete from hutch_migrations', `must not change hutch_migrations, ${table}`],
    ['delete from items_fts', `must not change items_fts, ${table}`],
    ['with x as (select 1) delete from "USERS"', `must not change users, ${table}`],
    ['commit', 'must not open or end a transaction'],
    ['begin', 'must not open or end a transaction'],
    ['savepoint a', 'must not use savepoints'],
    [`attach ':memory:' as other`, 'must not attach a database'],
    ['pragma foreign_keys = on', 'must not use PRAGMA foreign_keys'],
    ['pragma writable_schema = on', 'must not use PRAGMA writable_schema'],
    [
      'create trigger t after insert on notes begin delete from users; end',
      `must not change users, ${table}`,
    ],
  ];

  test.each(cases)('%s is refused', (sql, reason) => {
    const folder = started();
    folder.write(`update notes set title = 'Two'`);
    folder.write(sql);
    expect(() => folder.start(notes)).toThrow('migrations/0002_change.sql:');
    expect(() => folder.start(notes)).toThrow(reason);
    expect(folder.rows('select title from notes')).toEqual([['One']]);
  });
});

describe('a preview', () => {
  test('reports what a start would apply, and changes nothing', () => {
    const folder = started();
    folder.write('alter table notes rename column title to name');
    const renamed = notesWith({ name: text().notNull(), color: text() });
    const preview = folder.preview(renamed);
    expect(preview.steps).toHaveLength(1);
    expect(folder.rows('select title from notes')).toEqual([['One']]);
    expect(folder.start(renamed)).toEqual(preview);
  });

  test('works while a server writes', () => {
    const folder = started();
    using writer = new Database(folder.path);
    writer.run('begin immediate');
    expect(
      folder.preview(notesWith({ title: text().notNull(), color: text() })).steps,
    ).toHaveLength(1);
    writer.run('rollback');
  });

  test('reports all of a database that does not exist, and does not create it', () => {
    const path = join(tempDir(), 'hutch.db');
    const resources = [{ resource: 'notes', tables: [notes] }];
    const { core, steps } = previewUpgrade(path, { resources, migrations: [] });
    expect(core.length).toBeGreaterThan(10);
    expect(steps).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
  });
});
