import { describe, expect, test } from 'bun:test';
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { ResourceSchema } from '../../../../src/core/db/schema/plan.ts';
import { createStatements } from '../../../../src/core/db/schema/render.ts';
import { createFolder, notesWith } from './folder.ts';

const columns = { title: text().notNull(), tags: text().notNull().default('[]') };
const notes = notesWith(columns);

/** Notes with a search index of these columns and a table of their tags. */
function searched(...fields: ('title' | 'tags')[]): ResourceSchema {
  const names = fields.join(', ');
  const values = fields.map((it) => `new.${it}`).join(', ');
  const pending = sqliteTable('note_pending', { id: integer().primaryKey() });
  return {
    resource: 'notes',
    tables: [notes],
    derived: [
      {
        of: 'notes',
        create: [
          `create virtual table notes_fts using fts5(${names})`,
          ...createStatements(pending),
          `create trigger notes_insert_fts after insert on notes begin
             insert into notes_fts (rowid, ${names}) values (new.id, ${values}); end`,
        ],
        fill: [`insert into notes_fts (rowid, ${names}) select id, ${names} from notes`],
      },
    ],
  };
}

function withTags(): ResourceSchema {
  const tags = sqliteTable(
    'note_tags',
    { tag: text().notNull(), note_id: integer().notNull() },
    (it) => [primaryKey({ columns: [it.tag, it.note_id] })],
  );
  const fill = `insert into note_tags select distinct value, notes.id from notes, json_each(tags)`;
  return {
    resource: 'notes',
    tables: [notes],
    derived: [{ of: 'notes', create: createStatements(tags), fill: [fill] }],
  };
}

const started = () => {
  const folder = createFolder();
  folder.start(notes);
  folder.run(`insert into notes (title, tags) values ('One', '["red"]')`);
  return folder;
};
type Folder = ReturnType<typeof createFolder>;
const found = (folder: Folder, word: string) =>
  folder.rows(`select rowid from notes_fts where notes_fts match '${word}'`).flat();

describe('a search index', () => {
  test('is added with the rows that exist, and found unchanged at the next start', () => {
    const folder = started();
    folder.start(searched('title'));
    folder.run(`insert into notes (title) values ('Two')`);
    expect([found(folder, 'one'), found(folder, 'two')]).toEqual([[1], [2]]);
    expect(folder.start(searched('title')).steps).toEqual([]);
  });

  test('is built again when its declaration changes', () => {
    const folder = started();
    folder.start(searched('title'));
    folder.start(searched('title', 'tags'));
    expect(found(folder, 'red')).toEqual([1]);
    expect(folder.start(searched('title', 'tags')).steps).toEqual([]);
  });

  test('is dropped with its declaration', () => {
    const folder = started();
    folder.start(searched('title'));
    folder.start(notes);
    expect(folder.rows(`select name from sqlite_master where name like 'note%fts%'`)).toEqual([]);
    expect(folder.start(notes).steps).toEqual([]);
  });

  test('stays if its resource is gone', () => {
    const folder = started();
    folder.start(searched('title'));
    expect(folder.start().steps).toEqual([]);
    expect(found(folder, 'one')).toEqual([1]);
  });

  test('is built again when a migration has rebuilt its table', () => {
    const folder = started();
    folder.start(searched('title'));
    folder.write(`create table copy (id integer primary key autoincrement not null,
        title text not null, tags text not null default '[]') strict;
      insert into copy select id, title || ' more', tags from notes;
      drop table notes;
      alter table copy rename to notes`);
    folder.start(searched('title'));
    folder.run(`insert into notes (title) values ('Two')`);
    expect([found(folder, 'more'), found(folder, 'two')]).toEqual([[1], [2]]);
  });

  test('does not take the name of a table that a person made', () => {
    const folder = started();
    folder.run('create table notes_fts (a)');
    expect(folder.refusal(searched('title')).message).toContain(
      'notes needs the name notes_fts, which another object has',
    );
  });
});

describe('a table that is derived from rows', () => {
  test('is filled when it is added, and again when it comes back', () => {
    const folder = started();
    folder.start(withTags());
    expect(folder.rows('select * from note_tags')).toEqual([['red', 1]]);
    folder.start(notes);
    expect(folder.rows(`select name from sqlite_master where name = 'note_tags'`)).toEqual([]);
    folder.run(`update notes set tags = '["blue"]'`);
    folder.start(withTags());
    expect(folder.rows('select * from note_tags')).toEqual([['blue', 1]]);
    expect(folder.start(withTags()).steps).toEqual([]);
  });
});

describe('a table with rows for the rows of another one', () => {
  const views = sqliteTable('note_views', {
    note_id: integer().primaryKey(),
    is_listed: integer().notNull(),
    views: integer().notNull().default(0),
  });
  const withViews = (isListed: number): ResourceSchema => ({
    resource: 'notes',
    tables: [notes, views],
    derived: [
      {
        of: 'notes',
        create: [],
        fill: [
          `insert into note_views (note_id, is_listed) select id, ${isListed} from notes where true
           on conflict do update set is_listed = excluded.is_listed`,
        ],
      },
    ],
  });
  const counted = () => {
    const folder = started();
    folder.start(withViews(1));
    folder.run('update note_views set views = 7');
    return folder;
  };

  test('is filled when it is added, and not at the next start', () => {
    const folder = counted();
    expect(folder.start(withViews(1)).steps).toEqual([]);
    folder.run('delete from note_views');
    folder.start(withViews(1));
    expect(folder.rows('select * from note_views')).toEqual([]);
  });

  test('is filled again when the statement changes', () => {
    const folder = counted();
    folder.start(withViews(0));
    expect(folder.rows('select * from note_views')).toEqual([[1, 0, 7]]);
  });

  test('is filled again after a migration that changes the other one', () => {
    const folder = counted();
    folder.write(`insert into notes (title) values ('Two')`);
    folder.start(withViews(1));
    expect(folder.rows('select * from note_views')).toEqual([
      [1, 1, 7],
      [2, 1, 0],
    ]);
  });
});
