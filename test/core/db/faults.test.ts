import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { add, testDb, texts } from './notes-db.ts';

/** Holds the write lock of a database, like another process, until `release` is called. */
function lockOf(path: string) {
  const other = new Database(path);
  other.run('begin immediate');
  return {
    release: () => {
      other.run('rollback');
      other.close();
    },
  };
}

describe('while another process holds the write lock', () => {
  // proves: costly-work.writes-an-fsync
  test('a write waits and commits once the lock is free, and reads continue', async () => {
    await using t = testDb();
    const order: string[] = [];
    const lock = lockOf(t.path);
    const write = t.db.write((tx) => add(tx, 'a')).then(() => order.push('written'));
    for (let turn = 0; turn < 20; turn++) {
      await Bun.sleep(1);
      await texts(t.db);
    }
    order.push('read 20 times');
    lock.release();
    await write;
    expect(order).toEqual(['read 20 times', 'written']);
    expect(await texts(t.db)).toEqual(['a']);
  });

  test('writes are applied in order', async () => {
    await using t = testDb();
    const lock = lockOf(t.path);
    const names = Array.from({ length: 300 }, (_, index) => `note ${index}`);
    const writes = names.map((name) => t.db.write((tx) => add(tx, name)));
    await Bun.sleep(20);
    lock.release();
    await Promise.all(writes);
    expect(await texts(t.db)).toEqual(names);
  });

  // proves: costly-work.writes-an-fsync
  test('a write that waits too long is database_busy, and a later one continues', async () => {
    await using t = testDb({ lockPatienceMs: 1_000 });
    const lock = lockOf(t.path);
    const early = t.db.write((tx) => add(tx, 'early'));
    early.catch(() => {});
    await Bun.sleep(600);
    const late = t.db.write((tx) => add(tx, 'late'));
    await expect(early).rejects.toMatchObject({ code: 'database_busy', retryAfterSeconds: 1 });
    lock.release();
    await late;
    expect(await texts(t.db)).toEqual(['late']);
    expect(t.db.fault()).toBe(undefined);
  });

  test('a command releases the lock between its transactions', async () => {
    await using server = testDb();
    const command = testDb({ isCommand: true }, server.path);
    let isOver = false;
    const importing = (async () => {
      for (let turn = 0; turn < 20; turn++) {
        await command.db.write(async (tx) => {
          await add(tx, `imported ${turn}`);
          await Bun.sleep(10);
        });
      }
      isOver = true;
    })();
    let meanwhile = 0;
    while (!isOver) {
      await server.db.write((tx) => add(tx, `served ${meanwhile}`));
      meanwhile++;
    }
    await importing;
    await command.db.close();
    expect(meanwhile).toBeGreaterThan(10);
  });
});

describe('a broken connection', () => {
  test('that was closed between two writes is reopened', async () => {
    await using t = testDb();
    t.db.client.close();
    await t.db.write((tx) => add(tx, 'a'));
    expect(await texts(t.db)).toEqual(['a']);
  });

  test('that is closed during a write fails only its group', async () => {
    await using t = testDb();
    const first = t.db.write((tx) => add(tx, 'first'));
    const closing = t.db.write(async (tx) => {
      t.db.client.close();
      await add(tx, 'closing');
    });
    first.catch(() => {});
    await expect(closing).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(first).rejects.toMatchObject({ code: 'storage_failed' });
    expect(t.db.fault()).toBe('storage_failed');
    await t.db.write((tx) => add(tx, 'next'));
    expect(await texts(t.db)).toEqual(['next']);
    expect(t.db.fault()).toBe(undefined);
  });

  test('is storage_failed until it can be reopened', async () => {
    await using t = testDb();
    const dir = dirname(t.path);
    t.db.client.close();
    renameSync(dir, `${dir}-away`);
    const refused = t.db.write((tx) => add(tx, 'a'));
    await expect(refused).rejects.toMatchObject({ code: 'storage_failed' });
    renameSync(`${dir}-away`, dir);
    await t.db.write((tx) => add(tx, 'b'));
    expect(await texts(t.db)).toEqual(['b']);
  });
});

test('an error after a commit is logged and prevents neither other effects nor later writes', async () => {
  await using t = testDb();
  const effects: string[] = [];
  await t.db.write(async (tx) => {
    tx.afterCommit(() => {
      throw new Error('an effect failed');
    });
    tx.afterCommit(() => effects.push('second'));
    await add(tx, 'a');
  });
  await t.db.write((tx) => add(tx, 'b'));
  expect(effects).toEqual(['second']);
  expect(t.logLines.join('')).toContain('an effect failed');
  expect(await texts(t.db)).toEqual(['a', 'b']);
});

describe('the write-ahead log', () => {
  const big = 'x'.repeat(100_000);
  const sizeOf = (path: string) => statSync(`${path}-wal`).size;

  // proves: costly-work.the-write-ahead-log
  test('stays small under load', async () => {
    await using t = testDb();
    let largest = 0;
    for (let turn = 0; turn < 300; turn++) {
      await t.db.write((tx) => add(tx, `${turn}${big}`));
      largest = Math.max(largest, sizeOf(t.path));
    }
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(6_000_000);
  });

  // proves: data.secret-in-plain-text, costly-work.the-write-ahead-log
  test('and its file are empty after a checkpoint', async () => {
    await using t = testDb();
    await t.db.write((tx) => add(tx, big));
    await t.db.moveLog();
    expect(sizeOf(t.path)).toBe(0);
    expect(t.db.stats().write_ahead_log).toEqual({
      bytes: 0,
      frames: 0,
      checkpointed_frames: 0,
      pinned_since: null,
    });
  });

  // proves: data.secret-in-plain-text
  test('causes one warning if another process pins it, and the statistics show it meanwhile', async () => {
    await using t = testDb();
    await t.db.write((tx) => add(tx, 'a'));
    const other = new Database(t.path, { readonly: true });
    other.run('begin');
    other.query('select * from notes').all();
    for (let turn = 0; turn < 250; turn++) await t.db.write((tx) => add(tx, `${turn}${big}`));
    const { bytes, frames, checkpointed_frames, pinned_since } = t.db.stats().write_ahead_log;
    expect(bytes).toBeGreaterThan(16 * 1024 * 1024);
    expect(checkpointed_frames).toBeLessThan(frames);
    expect(pinned_since).toBeString();
    const warnings = t.logLines.filter((line) => line.includes('"level":"warn"'));
    expect(warnings).toHaveLength(1);
    expect(JSON.parse(warnings[0] ?? '')).toMatchObject({
      bytes: expect.any(Number),
      since: pinned_since,
    });
    other.run('rollback');
    other.close();
    await t.db.moveLog();
    expect(t.db.stats().write_ahead_log).toMatchObject({ bytes: 0, pinned_since: null });
  });
});
