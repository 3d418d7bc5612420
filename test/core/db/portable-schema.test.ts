import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import loadOld from 'sql.js/dist/sql-asm.js';
import { prepareDb } from '../../../src/core/db/db.ts';
import { KNOWN_MIGRATIONS, migrate } from '../../../src/core/db/migrations.ts';
import { tempDir } from '../../support.ts';

const AT = '2026-11-22T16:00:00.000Z';
const USER = `insert into users (id, email, email_key, username, username_key, is_active, role,
  created_at, updated_at) values (1, 'a@b.example', 'a@b.example', 'ada', 'ada', 1, 'user', '${AT}', '${AT}')`;
const ITEM = `insert into items (owner_id, title, description, tags, created_at, updated_at)
  values (1, 'Straw', '', '["wood"]', '${AT}', '${AT}')`;

/** A database file of this build with a user and an item. */
function databaseFile(): string {
  const path = join(tempDir(), 'hutch.db');
  prepareDb(path);
  using client = new Database(path);
  client.run(USER);
  client.run(ITEM);
  return path;
}

/** Opens a copy of the file with SQLite 3.33, built without WAL, json_type and FTS5. */
async function openOld(path: string) {
  using client = new Database(path);
  client.run('pragma wal_checkpoint(truncate)');
  const bytes = readFileSync(path);
  // The versions of the file format for reading and writing: 2 is WAL.
  bytes.fill(1, 18, 20);
  const { Database: Old } = await loadOld();
  const old = new Old(bytes);
  old.create_function('json_type', (text) => (text.startsWith('[') ? 'array' : 'object'));
  const values = (sql: string) => old.exec(sql)[0]?.values ?? [];
  const tables = values(`select name from sqlite_master where type = 'table' and rootpage > 0`);
  return { values, tables: tables.flat().map(String), [Symbol.dispose]: () => old.close() };
}

describe('a database file, in SQLite 3.33', () => {
  test('passes the integrity check', async () => {
    using old = await openOld(databaseFile());
    expect(old.values('select sqlite_version()')).toEqual([['3.33.0']]);
    expect(old.values('pragma integrity_check')).toEqual([['ok']]);
  });

  test('can be read, table by table', async () => {
    using old = await openOld(databaseFile());
    expect(old.tables.length).toBeGreaterThan(20);
    for (const table of old.tables) old.values(`select * from "${table}"`);
    expect(old.values('select title from items')).toEqual([['Straw']]);
  });

  test('can be copied by VACUUM INTO', async () => {
    using old = await openOld(databaseFile());
    old.values(`vacuum into '/copy.db'`);
    old.values(`attach '/copy.db' as copy`);
    expect(old.values('select title from copy.items')).toEqual([['Straw']]);
    const count = 'select count(*) from';
    expect(old.values(`${count} copy.sqlite_master`)).toEqual(old.values(`${count} sqlite_master`));
  });

  test('has only triggers that compile, except those of the search index and JSON', async () => {
    using old = await openOld(databaseFile());
    const own = old.tables.filter((name) => !/^(sqlite_|items_fts)/.test(name));
    const problems = own.flatMap((table) => {
      const [column] = old.values(`select name from pragma_table_info('${table}')`).flat();
      const writes = ['insert into # default values', `update # set "${column}" = "${column}"`];
      return [...writes, 'delete from #'].flatMap((write) => {
        try {
          old.values(`explain ${write.replace('#', `"${table}"`)}`);
          return [];
        } catch (error) {
          return [String(error)];
        }
      });
    });
    expect(own.length).toBeGreaterThan(20);
    const isBuiltWithout =
      /no such module: fts5|no such table: main.json_each|no such table: json_each/;
    expect(problems.filter((problem) => !isBuiltWithout.test(problem))).toEqual([]);
  });

  test('accepts rows in tables without a search index, including their triggers', async () => {
    using old = await openOld(databaseFile());
    old.values(USER.replaceAll('ada', 'bob').replaceAll('a@b', 'b@b').replace('(1,', '(2,'));
    expect(old.values(`select rows from row_counts where of = 'users'`)).toEqual([[2]]);
  });
});

describe.if(Bun.which('sqlite3') !== null)('a database file, in the sqlite3 of this system', () => {
  test('is dumped and restored with all rows', async () => {
    const path = databaseFile();
    const restored = join(tempDir(), 'new.db');
    const dump = Bun.spawn(['sqlite3', path, '.dump'], { stdout: 'pipe' });
    const restore = Bun.spawn(['sqlite3', '-bail', restored], { stdin: dump.stdout });
    expect([await dump.exited, await restore.exited]).toEqual([0, 0]);
    using client = new Database(restored);
    expect(client.query('select title from items').values()).toEqual([['Straw']]);
    expect(client.query('pragma integrity_check').values()).toEqual([['ok']]);
  });
});

describe('the types of columns', () => {
  test('are enforced in a file as in STRICT tables', () => {
    using client = new Database(databaseFile());
    const refused = (value: string) => () => client.run(`update items set version = ${value}`);
    for (const value of ["'x'", '1.5', "x'00'", 'null']) expect(refused(value)).toThrow();
    client.run("update items set version = '12'");
    expect(client.query('select version, typeof(version) from items').values()).toEqual([
      [12, 'integer'],
    ]);
  });

  test('are checked in each column of each table of Hutch', () => {
    using strict = new Database(':memory:');
    migrate(strict);
    using client = new Database(databaseFile());
    const own = strict.query(`select name from pragma_table_list where strict = 1`).values().flat();
    expect(own.length).toBeGreaterThan(20);
    for (const table of own.map(String)) {
      const { sql } = client.query('select sql from sqlite_master where name = ?').get(table) as {
        sql: string;
      };
      const columns = client
        .query(
          `select name from pragma_table_info(?) where not (pk = 1 and upper(type) = 'INTEGER')`,
        )
        .values(table);
      expect(sql).not.toContain('STRICT');
      for (const [name] of columns) expect(sql).toContain(`CHECK(typeof("${name}")`);
    }
  });

  test('are checked in a column that is added to a file later', () => {
    const path = databaseFile();
    using client = new Database(path);
    client.run('alter table items add column colour text');
    client.close();
    prepareDb(path);
    using again = new Database(path);
    expect(() => again.run(`update items set colour = x'00'`)).toThrow('CHECK');
    again.run(`update items set colour = 'red'`);
  });
});

test('a file of an earlier build preserves its rows', () => {
  const dir = tempDir();
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'hutch.db');
  const index = KNOWN_MIGRATIONS.findIndex(({ tag }) => tag.endsWith('_readable_by_older_sqlite'));
  const earlier = new Database(path);
  migrate(earlier, KNOWN_MIGRATIONS.slice(0, index));
  earlier.run(USER);
  earlier.run(ITEM);
  earlier.close();
  expect(prepareDb(path)).toContain(KNOWN_MIGRATIONS[index]?.tag ?? '');
  expect(prepareDb(path)).toEqual([]);
  using client = new Database(path);
  expect(client.query('select title, tags from items').values()).toEqual([['Straw', '["wood"]']]);
  expect(client.query('pragma integrity_check').values()).toEqual([['ok']]);
});
