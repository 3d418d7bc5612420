import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import type { Session } from '../../../src/core/db/db.ts';
import { atOnce } from '../../support.ts';
import { add, testDb, texts } from './notes-db.ts';

describe('write', () => {
  test('commits when its function returns', async () => {
    await using t = testDb();
    await t.db.write((tx) => add(tx, 'a'));
    expect(await texts(t.db)).toEqual(['a']);
  });

  // proves: 2.3.3, 16.5.3
  test('rolls back everything if its function throws half-way', async () => {
    await using t = testDb();
    const work = t.db.write(async (tx) => {
      await add(tx, 'a');
      throw new Error('half-way');
    });
    await expect(work).rejects.toThrow('half-way');
    expect(await texts(t.db)).toEqual([]);
  });

  test('a write that throws does not affect the others of its group', async () => {
    await using t = testDb();
    const results = await atOnce(9, (index) =>
      t.db.write(async (tx) => {
        await add(tx, `note ${index}`);
        if (index % 3 === 1) throw new Error('no');
      }),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(await texts(t.db)).toEqual([0, 2, 3, 5, 6, 8].map((index) => `note ${index}`));
    expect(t.db.stats()).toMatchObject({ commits: 1, writes: 6 });
  });

  test('two writers never overlap', async () => {
    await using t = testDb();
    const order: string[] = [];
    const writer = (name: string) =>
      t.db.write(async (tx) => {
        order.push(`${name} begins`);
        await add(tx, name);
        await Bun.sleep(5);
        order.push(`${name} ends`);
      });
    await Promise.all([writer('a'), writer('b')]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('a reader sees nothing before the commit', async () => {
    await using t = testDb();
    const seen: string[][] = [];
    await t.db.write(async (tx) => {
      await add(tx, 'a');
      seen.push(await texts(t.db));
    });
    seen.push(await texts(t.db));
    expect(seen).toEqual([[], ['a']]);
  });

  test('resolves only after the commit', async () => {
    await using t = testDb();
    const other = new Database(t.path, { readonly: true });
    await atOnce(5, async (index) => {
      await t.db.write((tx) => add(tx, `note ${index}`));
      const found = other.query('select 1 from notes where text = ?').all(`note ${index}`);
      expect(found).toHaveLength(1);
    });
    other.close();
  });

  // proves: 2.3.3
  test('afterCommit runs after the commit, and never without one', async () => {
    await using t = testDb();
    const effects: string[] = [];
    const other = new Database(t.path, { readonly: true });
    const count = () => other.query('select * from notes').all().length;
    await t.db.write(async (tx) => {
      tx.afterCommit(() => effects.push(`${count()} committed`));
      await add(tx, 'a');
    });
    const failing = t.db.write(async (tx) => {
      tx.afterCommit(() => effects.push('never'));
      await add(tx, 'a');
    });
    await expect(failing).rejects.toThrow();
    other.close();
    expect(effects).toEqual(['1 committed']);
  });

  test('a query after the end of its transaction is refused', async () => {
    await using t = testDb();
    let leaked: Session | undefined;
    await t.db.write(async (tx) => {
      leaked = tx;
    });
    expect(() => leaked?.orm).toThrow('The transaction has ended');
  });

  // proves: costly-work.writes-an-fsync
  test('a burst of writes shares few commits and loses none', async () => {
    await using t = testDb();
    const results = await atOnce(500, (index) => t.db.write((tx) => add(tx, `note ${index}`)));
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect((await texts(t.db)).length).toBe(500);
    expect(t.db.stats().commits).toBeLessThanOrEqual(5);
  });

  test('storage_full fails the whole group, and the next write succeeds', async () => {
    await using t = testDb();
    const pages = t.db.client.query('pragma page_count').values()[0]?.[0];
    t.db.client.run(`pragma max_page_count = ${Number(pages) + 2}`);
    const big = 'x'.repeat(50_000);
    const results = await atOnce(3, (index) => t.db.write((tx) => add(tx, `${index}${big}`)));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'storage_full' } });
    }
    t.db.client.run('pragma max_page_count = 1000000');
    await t.db.write((tx) => add(tx, 'small'));
    expect(await texts(t.db)).toEqual(['small']);
  });
});

describe('openDb', () => {
  test.each([
    ['journal_mode', 'wal'],
    ['synchronous', 2],
    ['foreign_keys', 1],
    ['secure_delete', 1],
    ['busy_timeout', 0],
    ['wal_autocheckpoint', 0],
    ['trusted_schema', 0],
    ['cell_size_check', 1],
    ['journal_size_limit', 67_108_864],
  ])('sets %s to %p', async (name, value) => {
    await using t = testDb();
    expect(t.db.client.query(`pragma ${name}`).values()[0]?.[0]).toBe(value);
  });

  // proves: 15.2.1
  test('uses a SQLite without the WAL reset bug', async () => {
    await using t = testDb();
    const [version] = t.db.client.query('select sqlite_version()').values()[0] as [string];
    expect(Bun.semver.order(version, '3.51.3')).toBeGreaterThanOrEqual(0);
  });

  // proves: data.secret-in-plain-text, 13.3.2
  test('creates files that only their owner can read', async () => {
    await using t = testDb();
    await t.db.write((tx) => add(tx, 'a'));
    for (const suffix of ['', '-wal', '-shm']) {
      expect(statSync(`${t.path}${suffix}`).mode & 0o777).toBe(0o600);
    }
  });

  test('the reader cannot write', async () => {
    await using t = testDb();
    await expect(add(t.db.read, 'a')).rejects.toThrow();
    expect(await texts(t.db)).toEqual([]);
  });
});
