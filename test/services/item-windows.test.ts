import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { loadConfig } from '../../src/core/config.ts';
import { createDeps, type Deps } from '../../src/core/deps.ts';
import { createLog } from '../../src/core/log.ts';
import { createItemWindows } from '../../src/services/item-windows.ts';
import { dayOf, HOUR_MS, hourOf } from '../../src/utils/time-buckets.ts';
import { tempDir, testApp } from '../support.ts';

const ITEMS = [1, 2, 3];
/** So small that every sweep takes several transactions. */
const BATCH = 3;

type Step =
  | { kind: 'view'; item: number; count: number }
  | { kind: 'wait'; hours: number }
  | { kind: 'sweep'; times: number }
  | { kind: 'fail'; item: number }
  | { kind: 'delete'; item: number }
  | { kind: 'restart' };

const item = fc.constantFrom(...ITEMS);
const DAY = 24;
const later = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(1, 23, DAY, 6 * DAY, 7 * DAY, 29 * DAY, 30 * DAY, 50 * DAY),
);

function steps(hours: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  const step = <K extends Step['kind'], M extends object>(
    weight: number,
    kind: K,
    more: fc.Arbitrary<M>,
  ) => ({ weight, arbitrary: more.map((values) => ({ kind, ...values })) });
  return fc.array(
    fc.oneof(
      step(12, 'view', fc.record({ item, count: fc.integer({ min: 1, max: 5 }) })),
      step(9, 'wait', fc.record({ hours })),
      step(6, 'sweep', fc.record({ times: fc.constantFrom(1, 2, 3, 100) })),
      step(1, 'fail', fc.record({ item })),
      step(1, 'restart', fc.record({})),
      step(1, 'delete', fc.record({ item })),
    ),
    { minLength: 15, maxLength: 50 },
  );
}

/** One server through a history, and what was viewed when. */
class World {
  readonly dir = tempDir();
  now = new Date('2026-03-01T05:30:00.000Z');
  views: { item: number; at: Date; count: number }[] = [];
  deps: Deps = this.open();

  open(): Deps {
    const config = { ...loadConfig({}, {}), dataDir: this.dir };
    const log = createLog({ level: 'error', format: 'json', write: () => {}, now: () => this.now });
    return createDeps(config, { log, now: () => this.now });
  }

  fill(): void {
    const { client } = this.deps.db;
    const at = this.now.toISOString();
    client.run(
      `insert into users (id, email, email_key, username, username_key, is_active, role, created_at, updated_at)
       values (1, 'a@example.com', 'a@example.com', 'ada', 'ada', 1, 'user', ?, ?)`,
      [at, at],
    );
    for (const id of ITEMS) {
      client.run(
        `insert into items (id, owner_id, title, description, created_at, updated_at) values (?, 1, 'a', '', ?, ?)`,
        [id, at, at],
      );
    }
  }

  async take(step: Step): Promise<void> {
    const { deps, now } = this;
    const chore = createItemWindows({ db: deps.db, now: () => now, batch: BATCH });
    if (step.kind === 'view') {
      for (let view = 0; view < step.count; view++) void deps.views.add(step.item);
      await deps.views.flush();
      if (this.has(step.item)) this.views.push({ ...step, at: now });
    } else if (step.kind === 'wait') {
      this.now = new Date(now.getTime() + step.hours * HOUR_MS);
    } else if (step.kind === 'sweep') {
      for (let time = 0; time < step.times; time++) await chore.run();
    } else if (step.kind === 'fail') {
      deps.db.client.run(
        `create trigger fail before update on item_views when new.item_id = ${step.item} begin select raise(abort, 'x'); end`,
      );
      await chore.run().catch(() => {});
      deps.db.client.run('drop trigger fail');
    } else if (step.kind === 'delete') {
      deps.db.client.run('delete from items where id = ?', [step.item]);
      this.views = this.views.filter((view) => view.item !== step.item);
    } else {
      await deps.close();
      this.deps = this.open();
    }
  }

  has(id: number): boolean {
    return this.deps.db.client.query('select 1 from items where id = ?').values(id).length === 1;
  }

  async sweepAll(): Promise<void> {
    const chore = createItemWindows({ db: this.deps.db, now: () => this.now, batch: BATCH });
    while (await chore.run());
  }

  counters() {
    return this.deps.db.client
      .query('select item_id, day, week, month from item_views order by item_id')
      .values();
  }

  /** The counters as the buckets and the positions have them. */
  recomputed() {
    const inWindow = (window: string) => `
      coalesce((select sum(views) from item_hours where item_id = i.id), 0)
      + coalesce((select sum(d.views) from item_days d where d.item_id = i.id and (d.day, d.item_id) >
          (coalesce((select bucket from view_sweeps where window = '${window}'), -1),
           coalesce((select item_id from view_sweeps where window = '${window}'), 0))), 0)`;
    return this.deps.db.client
      .query(
        `select i.id, coalesce((select sum(views) from item_hours where item_id = i.id), 0),
           ${inWindow('week')}, ${inWindow('month')} from items i order by i.id`,
      )
      .values();
  }

  /** The counters as whoever was there remembers them. */
  remembered() {
    const since = (isIn: (at: Date) => boolean, id: number) =>
      this.views
        .filter((view) => view.item === id && isIn(view.at))
        .reduce((sum, { count }) => sum + count, 0);
    const hour = hourOf(this.now);
    const day = dayOf(this.now);
    return ITEMS.filter((id) => this.has(id)).map((id) => [
      id,
      since((at) => hourOf(at) > hour - 24, id),
      since((at) => dayOf(at) > day - 7, id),
      since((at) => dayOf(at) > day - 30, id),
    ]);
  }

  async statsOf(window: 'week' | 'month') {
    const found = ITEMS.filter((id) => this.has(id));
    const all = found.map((id) => this.deps.itemStats.get(undefined, id, window));
    return (await Promise.all(all)).map(({ views }) => views);
  }

  async end(): Promise<void> {
    await this.deps.close();
    rmSync(this.dir, { recursive: true });
  }
}

async function inWorld(history: Step[], check: (world: World) => Promise<void>): Promise<World> {
  const world = new World();
  world.fill();
  for (const step of history) {
    await world.take(step);
    await check(world);
  }
  return world;
}

test('a counter is the sum of its buckets, and at the end of the views in its window', async () => {
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

test('a clock that is set back makes no counter drift', async () => {
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

test('a view leaves the day, then the week, then the month, and stays counted', async () => {
  await using it = await withItem();
  await it.view();
  const seen: unknown[] = [];
  for (const hours of [23, 1, 5 * 24, 24, 22 * 24, 24]) {
    it.wait(hours);
    await it.t.deps.housekeeping.runAll();
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

test('a server that was down for long catches up', async () => {
  await using it = await withItem();
  await it.view();
  it.wait(300 * 24);
  await it.view();
  await it.t.deps.housekeeping.runAll();
  expect(it.rows(COUNTERS)).toEqual([[2, 1, 1, 1]]);
  expect(it.rows('select views from item_days')).toEqual([[1]]);
});

test('days are kept for a year', async () => {
  await using it = await withItem();
  for (let day = 0; day < 3; day++) {
    await it.view();
    it.wait(24);
  }
  it.wait(362 * 24);
  await it.t.deps.housekeeping.runAll();
  expect(it.rows('select count(*) from item_days')).toEqual([[2]]);
  expect(it.rows(COUNTERS)).toEqual([[3, 0, 0, 0]]);
});

test('no transaction is begun where nothing is due', async () => {
  await using it = await withItem();
  await it.view();
  const { commits } = it.t.deps.db.stats();
  await createItemWindows(it.t.deps).run();
  expect(it.t.deps.db.stats().commits).toBe(commits);
});
