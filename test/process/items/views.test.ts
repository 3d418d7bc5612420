import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';

const CLIENTS = 50;
/** VIEWS_EACH=1000 runs the full 50,000. */
const VIEWS_EACH = Number(process.env['VIEWS_EACH'] ?? 200);
const TRIALS = 10;
/** The maximum time of a view in memory, plus the same time for the flush that writes it. */
const FLUSH_MS = 500;

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off', HUTCH_VIEW_WINDOW: '0' };

async function serveItem(dir: string, env: Record<string, string> = {}): Promise<RunningHutch> {
  const server = await serve(dir, { env: { ...ENV, ...env } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  if ((await server.clientFor().api.v2.items({ item_id: 1 }).get()).status === 404) {
    await server.clientFor(token).api.v2.items.post({ title: 'a' });
  }
  return server;
}

/** Views the item by v1 and v2 alternately; returns true if the view succeeded. */
async function view(url: string, turn: number): Promise<boolean> {
  const response =
    turn % 2 === 0
      ? await fetch(`${url}/api/v1/items/1`)
      : await fetch(`${url}/api/v2/items/1/views`, { method: 'POST' });
  await response.arrayBuffer();
  return response.ok;
}

function storedViews(dir: string): number {
  const db = new Database(join(dir, 'hutch.db'));
  const [[views, day, hours]] = db
    .query('select views, day, (select sum(views) from item_hours) from item_views')
    .values() as [[number, number, number | null]];
  db.close();
  expect([day, hours ?? 0]).toEqual([views, views]);
  return views;
}

test(`${CLIENTS} clients with ${VIEWS_EACH} views each lose none`, async () => {
  const dir = tempDir();
  await using server = await serveItem(dir);
  const client = async () => {
    for (let turn = 0; turn < VIEWS_EACH; turn++) {
      if (!(await view(server.url, turn))) throw new Error('A view was refused.');
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const { data } = await server.clientFor().api.v2.items({ item_id: 1 }).get();
  expect(data?.views).toBe(CLIENTS * VIEWS_EACH);
  await server.stop();
  expect(storedViews(dir)).toBe(CLIENTS * VIEWS_EACH);
}, 300_000);

test.each(['batched', 'strict'] as const)(
  `killed with -9 it loses no more than documented, %s, ${TRIALS} times`,
  async (mode) => {
    const dir = tempDir();
    for (let trial = 0; trial < TRIALS; trial++) {
      const server = await serveItem(dir, { HUTCH_VIEWS: mode });
      const before = trial === 0 ? 0 : storedViews(dir);
      const first = Promise.withResolvers<void>();
      const clients = Array.from({ length: 8 }, () => viewUntilKilled(server.url, first.resolve));
      await first.promise;
      await Bun.sleep(FLUSH_MS + 100 + Math.random() * 300);
      const killedAt = performance.now();
      server.kill('SIGKILL');
      const answered = (await Promise.all(clients)).flat();
      await server.exited;
      const safe = mode === 'strict' ? answered : answered.filter((at) => at < killedAt - FLUSH_MS);
      const stored = storedViews(dir) - before;
      expect(safe.length).toBeGreaterThan(0);
      expect(stored).toBeGreaterThanOrEqual(safe.length);
      // The last views may be stored without a response.
      expect(stored).toBeLessThanOrEqual(answered.length + clients.length);
    }
  },
  120_000,
);

/** Returns the time of the response to each view. */
async function viewUntilKilled(url: string, onView: () => void): Promise<number[]> {
  const answered: number[] = [];
  for (let turn = 0; ; turn++) {
    if (!(await view(url, turn).catch(() => false))) return answered;
    answered.push(performance.now());
    onView();
  }
}
