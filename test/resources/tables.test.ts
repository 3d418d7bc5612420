import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import {
  flag,
  integer,
  oneOf,
  ref,
  text,
  texts,
  timestamp,
  visibility,
} from '../../src/resources/declare/columns.ts';
import type { Resource } from '../../src/resources/declare/definition.ts';
import { resource } from '../../src/resources/declare/resource.ts';
import { tablesOf } from '../../src/resources/declare/tables.ts';

const title = text({ min: 1, max: 20 }).notNull();

/** The columns of the indexes of a database, with their condition, by name. */
type Indexes = Record<string, string>;

/** Creates the tables of resources in memory. */
async function open(...resources: Resource[]) {
  const tables = resources.flatMap(({ definition }) => tablesOf(definition));
  const client = new Database(':memory:', { strict: true });
  client.run('create table users (id integer primary key)');
  client.run('insert into users values (1), (2)');
  const named = Object.fromEntries(tables.map((table, index) => [`t${index}`, table]));
  for (const statement of await statementsOf(named)) client.run(statement);
  return client;
}

async function statementsOf(tables: Record<string, SQLiteTable>): Promise<string[]> {
  const nothing = await generateSQLiteDrizzleJson({});
  return generateSQLiteMigration(nothing, await generateSQLiteDrizzleJson(tables));
}

function tableNames(client: Database): string[] {
  const rows = client.query("select name from sqlite_master where type = 'table' order by name");
  return (rows.values() as [string][])
    .map(([name]) => name)
    .filter((it) => it !== 'users' && !it.startsWith('sqlite_'));
}

function indexesOf(client: Database, table: string): Indexes {
  const rows = client
    .query("select name, sql from sqlite_master where type = 'index' and tbl_name = ?")
    .values(table) as [string, string | null][];
  const shown = rows.map(([name, sql]) => [name, sql?.replace(/^.* ON \S+ |[`"]/g, '') ?? '']);
  return Object.fromEntries(shown);
}

describe('the tables of a resource', () => {
  test('are one table if it has no options', async () => {
    const notes = resource('notes', { columns: { title }, read: 'public', write: 'owner' });
    using client = await open(notes);
    expect(tableNames(client)).toEqual(['notes']);
    expect(indexesOf(client, 'notes')).toEqual({ notes_owner_id: '(owner_id,id)' });
    const columns = client.query('select name from pragma_table_info(?)').values('notes');
    expect(columns.flat()).toEqual([
      'id',
      'owner_id',
      'title',
      'version',
      'created_at',
      'updated_at',
    ]);
  });

  test('are further ones for history, events, views and filtered lists of texts', async () => {
    const stories = resource('stories', {
      columns: { title, labels: texts().notNull().default([]), others: texts() },
      read: 'public',
      write: 'owner',
      filter: ['labels'],
      history: true,
      events: true,
      views: true,
    });
    using client = await open(stories);
    expect(tableNames(client)).toEqual([
      'stories',
      'story_days',
      'story_events',
      'story_hours',
      'story_labels',
      'story_revisions',
      'story_views',
    ]);
    const columns = client.query('select name from pragma_table_info(?)').values('story_labels');
    expect(columns.flat()).toEqual(['viewer_id', 'label', 'story_id']);
  });

  test('check what the columns declare', async () => {
    const notes = resource('notes', {
      columns: {
        title,
        stars: integer({ min: 0, max: 5 }),
        pinned: flag().notNull().default(false),
        state: oneOf('open', "don't").notNull().default('open'),
        due: timestamp(),
      },
      read: 'owner',
      write: 'owner',
    });
    using client = await open(notes);
    client.run('pragma foreign_keys = on');
    const insert = (values: Record<string, string | number | null>) => {
      const row = { owner_id: 1, title: 'a', created_at: '', updated_at: '', ...values };
      const names = Object.keys(row);
      client.query(`insert into notes (${names}) values (${names.map((it) => `$${it}`)})`).run(row);
    };
    insert({});
    insert({ stars: 5, pinned: 1, state: "don't", due: '2026-11-22T16:00:00.000Z' });
    const refused = [
      { title: '' },
      { title: 'x'.repeat(21) },
      { title: null },
      { stars: 6 },
      { stars: -1 },
      { pinned: 2 },
      { state: 'shut' },
      { due: '2026' },
      { owner_id: 3 },
    ];
    for (const values of refused) expect(() => insert(values)).toThrow('constraint failed');
    expect(client.query('select pinned, state, version from notes where id = 1').values()).toEqual([
      [0, 'open', 1],
    ]);
  });

  test('refuse or cascade the erasure of a referenced row', async () => {
    const lists = resource('lists', { columns: { title }, read: 'owner', write: 'owner' });
    const notes = resource('notes', {
      columns: {
        list_id: ref(() => lists).notNull(),
        draft_id: ref(() => lists, { onDelete: 'cascade' }),
      },
      read: 'owner',
      write: 'owner',
    });
    using client = await open(lists, notes);
    client.run('pragma foreign_keys = on');
    const times = "'', ''";
    client.run(`insert into lists values (1, 1, 'a', 1, ${times}), (2, 1, 'b', 1, ${times})`);
    client.run(`insert into notes values (1, 1, 1, 2, 1, ${times})`);
    expect(() => client.run('delete from lists where id = 1')).toThrow('FOREIGN KEY');
    client.run('delete from lists where id = 2');
    expect(client.query('select * from notes').all()).toEqual([]);
    expect(indexesOf(client, 'notes')).toMatchObject({ notes_ref_list_id: '(list_id,id)' });
  });
});

describe('the indexes of a resource', () => {
  const options = {
    columns: { title, stars: integer().notNull(), place: text(), pinned: flag() },
    write: 'owner',
    filter: ['title', 'place', 'pinned', 'owner_id'],
    sort: ['title', 'created_at'],
  } as const;

  test('serve its sorts and filters, not flags', async () => {
    const notes = resource('notes', { ...options, read: 'public' });
    using client = await open(notes);
    expect(indexesOf(client, 'notes')).toEqual({
      notes_listed_title: '(title,id)',
      notes_listed_created_at: '(created_at,id)',
      notes_listed_place: '(place,id) WHERE notes.place is not null',
      notes_owner_id: '(owner_id,id)',
    });
  });

  test('start with the owner if only the owner reads its rows', async () => {
    const notes = resource('notes', { ...options, read: 'owner' });
    using client = await open(notes);
    expect(indexesOf(client, 'notes')).toEqual({
      notes_own_title: '(owner_id,title,id)',
      notes_own_created_at: '(owner_id,created_at,id)',
      notes_own_place: '(owner_id,place,id) WHERE notes.place is not null',
      notes_owner_id: '(owner_id,id)',
    });
  });

  test('separate public and private rows, and those in the bin', async () => {
    const notes = resource('notes', {
      columns: { title, visibility: visibility() },
      read: 'public',
      write: 'owner',
      filter: ['owner_id'],
      sort: ['title'],
      bin: true,
    });
    using client = await open(notes);
    const listed = "WHERE notes.visibility = 'public' and notes.deleted_at is null";
    const own = "WHERE notes.visibility = 'private' and notes.deleted_at is null";
    expect(indexesOf(client, 'notes')).toEqual({
      notes_listed_id: `(id) ${listed}`,
      notes_listed_owner: `(owner_id,id) ${listed}`,
      notes_listed_title: `(title,id) ${listed}`,
      notes_private_id: `(owner_id,id) ${own}`,
      notes_private_title: `(owner_id,title,id) ${own}`,
      notes_owner_id: '(owner_id,id)',
      notes_binned: '(owner_id,id) WHERE notes.deleted_at is not null',
      notes_deleted_at: '(deleted_at) WHERE notes.deleted_at is not null',
    });
  });
});
