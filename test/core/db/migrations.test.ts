import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { missingObjects, readMigrations } from '../../../drizzle/side-objects.ts';
import type { Migration } from '../../../src/core/db/embedded-migrations.ts';
import { KNOWN_MIGRATIONS, migrate } from '../../../src/core/db/migrations.ts';
import { createStatements } from '../../../src/core/db/schema/render.ts';
import { text, texts } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { tempDir } from '../../support.ts';

const first = { tag: '0000_first', when: 1, sql: 'create table a (id integer primary key) strict' };
const second = { tag: '0001_second', when: 2, sql: 'alter table a add column b text' };

const tables = (client: Database) =>
  client.query(`select name, strict from pragma_table_list where schema = 'main'`).all() as {
    name: string;
    strict: number;
  }[];

describe('migrate', () => {
  test('runs each missing migration once', () => {
    using client = new Database(':memory:');
    expect(migrate(client, [first])).toEqual(['0000_first']);
    expect(migrate(client, [first, second])).toEqual(['0001_second']);
    expect(migrate(client, [first, second])).toEqual([]);
  });

  test('refuses a newer database and changes nothing', () => {
    using client = new Database(':memory:');
    migrate(client, [first, second]);
    expect(() => migrate(client, [first])).toThrow('newer than this hutch');
    expect(migrate(client, [first, second])).toEqual([]);
  });

  test('refuses if an applied migration has changed', () => {
    using client = new Database(':memory:');
    migrate(client, [first]);
    expect(() => migrate(client, [{ ...first, sql: `${first.sql} ` }])).toThrow('was changed');
  });

  test('changes nothing if one of several migrations fails', () => {
    using client = new Database(':memory:');
    expect(() => migrate(client, [first, { ...second, sql: 'nonsense' }])).toThrow();
    expect(tables(client).map(({ name }) => name)).not.toContain('a');
    expect(client.query('pragma foreign_keys').values()).toEqual([[1]]);
  });

  test('refuses a migration that would break foreign keys', () => {
    using client = new Database(':memory:');
    const orphan = 'create table c (a integer references a (id)) strict; insert into c values (9);';
    expect(() => migrate(client, [first, { ...second, sql: orphan }])).toThrow(
      'invalid foreign keys',
    );
  });

  test('reads no rows if nothing is missing', () => {
    using client = new Database(':memory:');
    const orphans = 'create table c (a integer references a (id)) strict';
    migrate(client, [first, { ...second, sql: orphans }]);
    client.run('pragma foreign_keys = off');
    client.run('insert into c values (9)');
    expect(migrate(client, [first, { ...second, sql: orphans }])).toEqual([]);
  });

  test('moves queued mails to the jobs, failed ones without their text', () => {
    using client = new Database(':memory:');
    const index = KNOWN_MIGRATIONS.findIndex(({ tag }) => tag.endsWith('_jobs'));
    migrate(client, KNOWN_MIGRATIONS.slice(0, index));
    const insert = client.query(
      `insert into mails (recipient, subject, text, html, created_at, attempts, next_attempt_at, last_error)
         values ('a', 's', ?, 'h', 'then', ?, 'later', ?)`,
    );
    insert.run('t', 3, '451');
    insert.run('', 10, '550');
    migrate(client, KNOWN_MIGRATIONS);
    expect(
      client.query('select name, state, payload, attempts, due_at, last_error from jobs').values(),
    ).toEqual([
      ['mail', 'waiting', '{"to":"a","subject":"s","text":"t","html":"h"}', 3, 'later', '451'],
      ['mail', 'dead', '{"to":"a","subject":"s"}', 10, 'later', '550'],
    ]);
    expect(tables(client).map(({ name }) => name)).not.toContain('mails');
  });

  test('updates the keys of accounts unless another account has them', () => {
    using client = new Database(':memory:');
    const index = KNOWN_MIGRATIONS.findIndex(({ tag }) => tag.endsWith('_account_keys'));
    migrate(client, KNOWN_MIGRATIONS.slice(0, index));
    const insert = client.query(
      `insert into users (email, email_key, username, username_key, is_active, role,
         created_at, updated_at) values (?1, ?1, ?2, ?2, 1, 'user', '', '')`,
    );
    insert.run('a@xn--bcher-kva.example', ' ada ');
    insert.run('b@xn--bcher-kva.example', 'ben');
    insert.run('b@bücher.example', ' ben');
    migrate(client, KNOWN_MIGRATIONS);
    expect(client.query('select email_key, username, username_key from users').values()).toEqual([
      ['a@bücher.example', 'ada', 'ada'],
      ['b@xn--bcher-kva.example', 'ben', 'ben'],
      ['b@bücher.example', ' ben', ' ben'],
    ]);
  });

  // proves: sign-in-methods.its-lifetime
  test('sets an expiry for tokens without one, an earlier one for admins', () => {
    using client = new Database(':memory:');
    const index = KNOWN_MIGRATIONS.findIndex(({ tag }) => tag.endsWith('_token_expiry'));
    migrate(client, KNOWN_MIGRATIONS.slice(0, index));
    const at = '2026-11-22T16:00:00.000Z';
    for (const [id, role] of [
      [1, 'user'],
      [2, 'admin'],
    ]) {
      client.run(
        `insert into users (id, email, email_key, username, username_key, is_active, role,
           created_at, updated_at) values (?1, 'abc' || ?1, 'abc' || ?1, 'abc' || ?1, 'abc' || ?1, 1, ?2, ?3, ?3)`,
        [id as number, role as string, at],
      );
    }
    const soon = new Date(Date.now() + 86_400_000).toISOString();
    const insert = client.query(
      `insert into access_tokens (user_id, name, token_hash, prefix, scopes, created_at, expires_at)
       values (?, 'x', ?, 'hut_', 'items:read', ?, ?)`,
    );
    for (const end of [null, '2036-01-01T00:00:00.000Z', soon]) {
      for (const user of [1, 2]) insert.run(user, `${user}${end}`, at, end);
    }
    migrate(client, KNOWN_MIGRATIONS);
    const rows = client
      .query(
        `select user_id, expires_at, julianday(expires_at) - julianday('now') as days
         from access_tokens order by id`,
      )
      .all() as { user_id: number; expires_at: string; days: number }[];
    expect(rows.map(({ user_id, days }) => [user_id, Math.round(days)])).toEqual([
      [1, 365],
      [2, 90],
      [1, 365],
      [2, 90],
      [1, 1],
      [2, 1],
    ]);
    expect(rows[0]?.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rows[4]?.expires_at).toBe(soon);
  });

  test('preserves items with their views, tags, search and counters', () => {
    using client = new Database(':memory:');
    const [start, append] = KNOWN_MIGRATIONS as [Migration, Migration];
    migrate(client, [start, append]);
    const at = '2026-11-22T16:00:00.000Z';
    client.run(
      `insert into users values (1,'a@b.example','a@b.example','ada','ada',null,null,1,'user',?,?)`,
      [at, at],
    );
    client.run(`insert into items values (7,'Straw','','https://a.example/',41,1,?,?)`, [at, at]);
    migrate(client);
    expect(client.query('select id, title, url, tags, data, version from items').all()).toEqual([
      { id: 7, title: 'Straw', url: 'https://a.example/', tags: '[]', data: '{}', version: 1 },
    ]);
    expect(client.query('select item_id, views, is_listed from item_views').all()).toEqual([
      { item_id: 7, views: 41, is_listed: 1 },
    ]);
    const found = client.query(`select rowid from items_fts where items_fts match 'straw'`).all();
    expect(found).toEqual([{ rowid: 7 }]);
  });

  test('creates only STRICT tables', () => {
    using client = new Database(':memory:');
    migrate(client);
    // The tables of SQLite itself and of its search index.
    const own = tables(client).filter(({ name }) => !/^(sqlite_|items_fts)/.test(name));
    expect(own.map(({ name }) => name)).toContain('users');
    expect(own.length).toBeGreaterThan(10);
    expect(own.every(({ strict }) => strict === 1)).toBe(true);
  });
});

test('the models and resources match the migrations in ./drizzle', async () => {
  const dir = tempDir();
  cpSync('drizzle', join(dir, 'drizzle'), { recursive: true });
  const out = relative('.', join(dir, 'drizzle'));
  const options = ['--dialect', 'sqlite', '--schema', 'drizzle/schema.cjs', '--out', out];
  const drizzleKit = Bun.spawn(['bun', 'drizzle-kit', 'generate', ...options], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const output = (await drizzleKit.stdout.text()) + (await drizzleKit.stderr.text());
  rmSync(dir, { recursive: true });
  expect(output).toContain('No schema changes');
}, 30_000);

test('the migrations create the full-text indexes of the resources', () => {
  const migrations = readMigrations('drizzle');
  expect(migrations.length).toBeGreaterThan(10);
  expect(missingObjects(migrations, migrations)).toEqual([]);
});

describe('the generator', () => {
  test('adds the side tables of a resource to the migration that creates it', () => {
    const { definition } = resource('notes', {
      columns: { title: text().notNull(), tags: texts().notNull().default([]) },
      read: 'owner',
      write: 'owner',
      filter: ['tags'],
    });
    const before = readMigrations('drizzle');
    const sql = createStatements(definition.table)
      .map((it) => `${it};`)
      .join('\n');
    const after = [...before, { tag: '9999_notes', when: Date.now(), sql }];
    const missing = missingObjects(before, after, [definition]);
    expect(missing.join('\n')).toContain('CREATE TABLE "note_tags"');
    const complete = [
      ...before,
      { tag: '9999_notes', when: Date.now(), sql: `${sql}${missing.join(';')}` },
    ];
    expect(missingObjects(complete, complete, [definition])).toEqual([]);
  });
});
