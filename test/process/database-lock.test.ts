import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { ADMIN, hutch, type RunningHutch, serve } from './hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };

/** Acquires the write lock of the database of a server, like a shell or a backup. */
function lockOf(dir: string) {
  const other = new Database(join(dir, 'hutch.db'));
  // The server may be writing: it queues and sends a mail after a sign-up.
  other.run('pragma busy_timeout = 5000');
  other.run('begin immediate');
  return {
    [Symbol.dispose]: () => {
      if (other.inTransaction) other.run('rollback');
      other.close();
    },
  };
}

async function post(server: RunningHutch, token: string, title: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ title });
  return fetch(`${server.url}/api/v2/items`, { method: 'POST', headers, body });
}

test('while another process holds the write lock, writes wait and reads succeed', async () => {
  const dir = tempDir();
  await using server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const order: string[] = [];
  const lock = lockOf(dir);
  const writes = ['a', 'b', 'c', 'd'].map(async (title) => {
    order.push(`${title} ${(await post(server, token, title)).status}`);
  });
  for (const path of ['/health/live', '/health/ready', '/api/v2/items', '/api/v2/users/me']) {
    const headers = { authorization: `Bearer ${token}` };
    order.push(`${path} ${(await fetch(server.url + path, { headers })).status}`);
  }
  lock[Symbol.dispose]();
  await Promise.all(writes);
  expect(order.slice(0, 4)).toEqual([
    '/health/live 200',
    '/health/ready 200',
    '/api/v2/items 200',
    '/api/v2/users/me 200',
  ]);
  expect(order.slice(4).toSorted()).toEqual(['a 201', 'b 201', 'c 201', 'd 201']);
}, 30_000);

test('a write that cannot get the lock is 503 with Retry-After, and the next one succeeds', async () => {
  const dir = tempDir();
  await using server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  {
    using _ = lockOf(dir);
    const refused = await post(server, token, 'a');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'database_busy' });
  }
  expect((await post(server, token, 'b')).status).toBe(201);
}, 30_000);

test('a command and a server can write at the same time', async () => {
  const dir = tempDir();
  await using server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const file = join(dir, 'items.jsonl');
  const lines = Array.from({ length: 5_000 }, (_, index) => JSON.stringify({ title: `i${index}` }));
  await Bun.write(file, lines.join('\n'));
  let isOver = false;
  const importing = hutch(['items', 'import', file, '--owner', ADMIN.username, '--data-dir', dir], {
    env: {},
  }).finally(() => {
    isOver = true;
  });
  const statuses: number[] = [];
  while (!isOver) statuses.push((await post(server, token, 'served')).status);
  expect((await importing).status).toBe(0);
  expect(new Set(statuses)).toEqual(new Set([201]));
  expect(statuses.length).toBeGreaterThan(10);
}, 60_000);

// proves: data.secret-in-plain-text
test('after the last write a checkpoint moves the log into the file, which can be copied alone', async () => {
  const dir = tempDir();
  await using server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  await post(server, token, 'a title to search for');
  while (statSync(join(dir, 'hutch.db-wal')).size > 0) await Bun.sleep(100);
  expect(readFileSync(join(dir, 'hutch.db')).includes('a title to search for')).toBe(true);
}, 60_000);

test('a reader that pins the write-ahead log appears in the log and the statistics', async () => {
  const dir = tempDir();
  await using server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  using reader = new Database(join(dir, 'hutch.db'), { readonly: true });
  reader.run('begin');
  reader.query('select count(*) from items').all();
  await post(server, token, 'a');
  const warnings = () => server.lines.filter((line) => 'bytes' in line);
  while (warnings().length === 0) await Bun.sleep(100);
  const stats = await fetch(`${server.url}/api/v2/system/stats`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { database } = (await stats.json()) as { database: { write_ahead_log: unknown } };
  expect(warnings()).toMatchObject([{ level: 'warn', since: expect.any(String) }]);
  expect(database.write_ahead_log).toMatchObject({ pinned_since: warnings()[0]?.['since'] });
}, 60_000);
