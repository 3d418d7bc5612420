import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
const TRIALS = 6;
const WRITERS = 8;
const OPERATIONS = 40;

test(`keyed creates killed with -9 and repeated create one item per key, ${TRIALS} times`, async () => {
  const dir = tempDir();
  const keys: string[] = [];
  const answered = new Map<string, number>();
  for (let trial = 0; trial < TRIALS; trial++) {
    await untilKilled(dir, async (post, writer) => {
      for (let count = 0; ; count++) {
        const key = `${trial}.${writer}.${count}`;
        keys.push(key);
        const created = await post('/api/v2/items', { title: key }, key);
        answered.set(key, created['id'] as number);
      }
    });
  }
  await using server = await serve(dir, { env: ENV });
  const post = await poster(server);
  const replayed = await Promise.all(
    keys.map(
      async (key) => [key, (await post('/api/v2/items', { title: key }, key))['id']] as const,
    ),
  );
  const ids = new Map(replayed);
  for (const [key, id] of answered) expect(`${key} ${ids.get(key)}`).toBe(`${key} ${id}`);
  expect(answered.size).toBeGreaterThan(TRIALS);
  expect(query(dir, 'select title from items').toSorted()).toEqual(keys.toSorted());
}, 120_000);

test(`a batch killed with -9 is applied completely or not at all, ${TRIALS} times`, async () => {
  const dir = tempDir();
  const answered: string[] = [];
  for (let trial = 0; trial < TRIALS; trial++) {
    await untilKilled(dir, async (post, writer) => {
      for (let count = 0; ; count++) {
        const title = `${trial}.${writer}.${count}`;
        const operations = Array.from({ length: OPERATIONS }, () => ({
          op: 'create',
          item: { title, tags: ['x'] },
        }));
        await post('/api/v2/items/batch', { operations });
        answered.push(title);
      }
    });
  }
  const sizes = query(dir, 'select count(*) from items group by title');
  expect(new Set(sizes)).toEqual(new Set([OPERATIONS]));
  const stored = new Set(query(dir, 'select distinct title from items'));
  expect(answered.filter((title) => !stored.has(title))).toEqual([]);
  expect(answered.length).toBeGreaterThan(TRIALS);
  const [items, tags, views, events] = ['items', 'item_tags', 'item_views', 'item_events'].map(
    (table) => query(dir, `select count(*) from ${table}`)[0],
  );
  expect([tags, views, events]).toEqual([items, items, items]);
}, 120_000);

type Post = Awaited<ReturnType<typeof poster>>;

/** Runs endless writers on a server, and kills the server meanwhile. */
async function untilKilled(dir: string, write: (post: Post, writer: number) => Promise<never>) {
  const server = await serve(dir, { env: ENV });
  const post = await poster(server);
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(post, writer));
  const ended = Promise.allSettled(writers);
  await Bun.sleep(60 + Math.random() * 250);
  server.kill('SIGKILL');
  await ended;
  await server.exited;
}

/** Posts JSON as the admin. Throws for an error status and if the server is gone. */
async function poster(server: RunningHutch) {
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  return async (path: string, body: unknown, key?: string): Promise<Record<string, number>> => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(key && { 'idempotency-key': key }),
    };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${server.url}${path}`, init);
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, number>;
  };
}

function query(dir: string, text: string): unknown[] {
  using db = new Database(join(dir, 'hutch.db'));
  expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
  return db.query(text).values().flat();
}
