import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { migrate } from '../../src/core/migrations.ts';
import { tempDir } from '../support.ts';

const first = { tag: '0000_first', when: 1, sql: 'create table a (id integer primary key) strict' };
const second = { tag: '0001_second', when: 2, sql: 'alter table a add column b text' };

const tables = (client: Database) =>
  client.query(`select name, strict from pragma_table_list where schema = 'main'`).all() as {
    name: string;
    strict: number;
  }[];

describe('migrate', () => {
  test('runs what is missing, once', () => {
    using client = new Database(':memory:');
    expect(migrate(client, [first])).toEqual(['0000_first']);
    expect(migrate(client, [first, second])).toEqual(['0001_second']);
    expect(migrate(client, [first, second])).toEqual([]);
  });

  test('refuses a database that is newer than it knows and changes nothing', () => {
    using client = new Database(':memory:');
    migrate(client, [first, second]);
    expect(() => migrate(client, [first])).toThrow('newer than this hutch');
    expect(migrate(client, [first, second])).toEqual([]);
  });

  test('refuses when a migration that ran reads differently', () => {
    using client = new Database(':memory:');
    migrate(client, [first]);
    expect(() => migrate(client, [{ ...first, sql: `${first.sql} ` }])).toThrow('was changed');
  });

  test('leaves nothing behind when one of several fails', () => {
    using client = new Database(':memory:');
    expect(() => migrate(client, [first, { ...second, sql: 'nonsense' }])).toThrow();
    expect(tables(client).map(({ name }) => name)).not.toContain('a');
    expect(client.query('pragma foreign_keys').values()).toEqual([[1]]);
  });

  test('refuses a step that would leave rows pointing nowhere', () => {
    using client = new Database(':memory:');
    const orphan = 'create table c (a integer references a (id)) strict; insert into c values (9);';
    expect(() => migrate(client, [first, { ...second, sql: orphan }])).toThrow('point nowhere');
  });

  test('makes every table STRICT', () => {
    using client = new Database(':memory:');
    migrate(client);
    const own = tables(client).filter(({ name }) => !name.startsWith('sqlite_'));
    expect(own.map(({ name }) => name)).toContain('users');
    expect(own.length).toBeGreaterThan(10);
    expect(own.every(({ strict }) => strict === 1)).toBe(true);
  });
});

test('the models and ./drizzle say the same', async () => {
  const dir = tempDir();
  cpSync('drizzle', join(dir, 'drizzle'), { recursive: true });
  const out = relative('.', join(dir, 'drizzle'));
  const options = ['--dialect', 'sqlite', '--schema', 'src/models/index.ts', '--out', out];
  const kit = Bun.spawn(['bun', 'drizzle-kit', 'generate', ...options], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const output = (await kit.stdout.text()) + (await kit.stderr.text());
  rmSync(dir, { recursive: true });
  expect(output).toContain('No schema changes');
}, 30_000);
