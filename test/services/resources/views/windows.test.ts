import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { items } from '../../../../src/resources/items.ts';
import { createWindows } from '../../../../src/services/resources/views/windows.ts';
import { HOUR_MS } from '../../../../src/utils/time/units.ts';
import { testApp } from '../../../support.ts';
import { DAY, later, type Step, steps, World } from './windows-world.ts';

async function inWorld(history: Step[], check: (world: World) => Promise<void>): Promise<World> {
  const world = new World();
  world.fill();
  for (const step of history) {
    await world.take(step);
    await check(world);
  }
  return world;
}

test('a counter equals the sum of its buckets, and finally the views in its window', async () => {
  await fc.assert(
    fc.asyncProperty(steps(later), async (history) => {
      const world = await inWorld(history, async (it) => {
        expect(it.counters()).toEqual(it.recomputed());
        expect(await it.statsOf('week')).toEqual(it.remembered().map((row) => row[2] as number));
      });
      await world.sweepAll();
      expect(world.counters()).toEqual(world.remembered());
      expect(world.counters()).toEqual(world.recomputed());
      expect(await world.statsOf('month')).toEqual(
        world.remembered().map((row) => row[3] as number),
      );
      await world.end();
    }),
    { numRuns: 50 },
  );
}, 120_000);

test('setting the clock back does not make counters drift', async () => {
  const anywhere = fc.oneof(later, fc.integer({ min: -60 * DAY, max: 0 }));
  await fc.assert(
    fc.asyncProperty(steps(anywhere), async (history) => {
      const world = await inWorld(history, async (it) => {
        expect(it.counters()).toEqual(it.recomputed());
      });
      await world.end();
    }),
    { numRuns: 50 },
  );
}, 120_000);

async function withItem() {
  let now = new Date('2026-03-01T05:30:00.000Z');
  const t = await testApp({ now: () => now });
  const { client } = await t.signUp('ada');
  await client.api.v2.items.post({ title: 'a' });
  const view = async () => {
    await t.deps.items.view(1);
    await t.deps.views.flush();
  };
  const wait = (hours: number) => {
    now = new Date(now.getTime() + hours * HOUR_MS);
  };
  const rows = (sql: string) => t.deps.db.client.query(sql).values();
  const end = () => t[Symbol.asyncDispose]();
  return { t, view, wait, rows, [Symbol.asyncDispose]: end };
}

const COUNTERS = 'select views, day, week, month from item_views';

test('a view expires from the day, then the week, then the month, but stays in the total', async () => {
  await using it = await withItem();
  await it.view();
  const seen: unknown[] = [];
  for (const hours of [23, 1, 5 * 24, 24, 22 * 24, 24]) {
    it.wait(hours);
    await it.t.deps.jobs.runAll();
    seen.push(it.rows(COUNTERS)[0]);
  }
  expect(seen).toEqual([
    [1, 1, 1, 1],
    [1, 0, 1, 1],
    [1, 0, 1, 1],
    [1, 0, 0, 1],
    [1, 0, 0, 1],
    [1, 0, 0, 0],
  ]);
});

test('a server that was down for a long time catches up', async () => {
  await using it = await withItem();
  await it.view();
  it.wait(300 * 24);
  await it.view();
  await it.t.deps.jobs.runAll();
  expect(it.rows(COUNTERS)).toEqual([[2, 1, 1, 1]]);
  expect(it.rows('select views from item_days')).toEqual([[1]]);
});

test('views per day are stored for a year', async () => {
  await using it = await withItem();
  for (let day = 0; day < 3; day++) {
    await it.view();
    it.wait(24);
  }
  it.wait(362 * 24);
  await it.t.deps.jobs.runAll();
  expect(it.rows('select count(*) from item_days')).toEqual([[2]]);
  expect(it.rows(COUNTERS)).toEqual([[3, 0, 0, 0]]);
});

test('no transaction begins if nothing is due', async () => {
  await using it = await withItem();
  await it.view();
  const { commits } = it.t.deps.db.stats();
  await createWindows(items.definition, it.t.deps).run();
  expect(it.t.deps.db.stats().commits).toBe(commits);
});
