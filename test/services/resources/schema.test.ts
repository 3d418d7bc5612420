import { describe, expect, test } from 'bun:test';
import { flag, text, texts, visibility } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { items } from '../../../src/resources/items.ts';
import { schemaOf } from '../../../src/services/resources/schema.ts';
import { createFolder } from '../../core/db/schema/folder.ts';

const columns = { title: text({ max: 200 }).notNull(), tags: texts().notNull().default([]) };
const plain = resource('notes', { columns, read: 'owner', write: 'owner' });
const full = resource('notes', {
  columns: {
    ...columns,
    pinned: flag().notNull().default(false),
    visibility: visibility(),
  },
  read: 'public',
  write: 'owner',
  filter: ['tags', 'pinned'],
  sort: ['title'],
  search: ['title'],
  history: true,
  bin: true,
  events: true,
  views: true,
});

const AT = '2026-11-22T16:00:00.000Z';

/** A database with two notes of a plain resource. */
function started() {
  const folder = createFolder();
  folder.start(schemaOf(plain.definition));
  folder.run(`insert into users (email, email_key, username, username_key, is_active, role,
    created_at, updated_at) values ('a@b.c', 'a@b.c', 'ada', 'ada', 1, 'user', '', '')`);
  for (const title of ['One', 'Two']) {
    folder.run(`insert into notes (owner_id, title, tags, created_at, updated_at)
      values (1, '${title}', '["red","red"]', '${AT}', '${AT}')`);
  }
  return folder;
}

describe('the schema of a resource', () => {
  test('is found unchanged at the next start', () => {
    const folder = started();
    for (const it of [plain, full]) {
      folder.start(schemaOf(it.definition));
      expect(folder.start(schemaOf(it.definition))).toMatchObject({ steps: [], notices: [] });
    }
  });

  test('with all options is added to the rows of a plain one', () => {
    const folder = started();
    folder.start(schemaOf(full.definition));
    expect(folder.rows('select title, pinned, visibility, deleted_at from notes')).toEqual([
      ['One', 0, 'public', null],
      ['Two', 0, 'public', null],
    ]);
    expect(folder.rows('select viewer_id, tag, note_id from note_tags')).toEqual([
      [0, 'red', 1],
      [0, 'red', 2],
    ]);
    expect(folder.rows('select note_id, views, is_listed from note_views')).toEqual([
      [1, 0, 1],
      [2, 0, 1],
    ]);
    expect(folder.rows('select id from notes_fts_pending')).toEqual([[1], [2]]);
  });

  test('without the options leaves the tables with data, and drops the derived ones', () => {
    const folder = started();
    folder.start(schemaOf(full.definition));
    const { definition } = resource('notes', {
      columns: {
        ...columns,
        pinned: flag().notNull().default(false),
        visibility: visibility(),
      },
      read: 'public',
      write: 'owner',
      bin: true,
    });
    const { notices } = folder.start(schemaOf(definition));
    expect(notices.join('\n')).toContain('note_revisions');
    const names = folder.rows(`select name from sqlite_master where name like 'note%'`).flat();
    expect(names).toContain('note_views');
    expect(names.filter((name) => /fts|tags|search/.test(String(name)))).toEqual([]);
  });

  test('hides rows in the tables of texts when the access changes', () => {
    const folder = started();
    const of = (read: 'owner' | 'user') =>
      schemaOf(resource('notes', { columns, read, write: 'owner', filter: ['tags'] }).definition);
    folder.start(of('user'));
    expect(folder.rows('select distinct viewer_id from note_tags')).toEqual([[0]]);
    folder.start(of('owner'));
    expect(folder.rows('select distinct viewer_id from note_tags')).toEqual([[1]]);
  });

  test('cannot be that of items, which belong to Hutch', () => {
    const folder = createFolder();
    expect(folder.refusal(schemaOf(items.definition)).message).toContain(
      'items has the name of a table of Hutch itself',
    );
  });
});
