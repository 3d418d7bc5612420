import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { loadConfig } from '../../../../src/core/config/config.ts';
import { createDeps, type Deps } from '../../../../src/core/deps.ts';
import { createLog } from '../../../../src/core/log.ts';
import { items } from '../../../../src/resources/items.ts';
import { createWindows } from '../../../../src/services/resources/views/windows.ts';
import { dayOf, HOUR_MS, hourOf } from '../../../../src/utils/time/units.ts';
import { NOBODY, tempDir } from '../../../support.ts';

const IDS = [1, 2, 3];
/** So small that every sweep takes several transactions. */
const BATCH = 3;

export type Step =
  | { kind: 'view'; item: number; count: number }
  | { kind: 'wait'; hours: number }
  | { kind: 'sweep'; times: number }
  | { kind: 'fail'; item: number }
  | { kind: 'delete'; item: number }
  | { kind: 'restart' };

const item = fc.constantFrom(...IDS);
export const DAY = 24;
export const later = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(1, 23, DAY, 6 * DAY, 7 * DAY, 29 * DAY, 30 * DAY, 50 * DAY),
);

/** Random histories of a few items; `hours` says how the clock goes. */
export function steps(hours: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
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
export class World {
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
    for (const id of IDS) {
      client.run(
        `insert into items (id, owner_id, title, description, created_at, updated_at) values (?, 1, 'a', '', ?, ?)`,
        [id, at, at],
      );
    }
  }

  async take(step: Step): Promise<void> {
    const { deps, now } = this;
    const job = createWindows(items.definition, { db: deps.db, now: () => now, batch: BATCH });
    if (step.kind === 'view') {
      for (let view = 0; view < step.count; view++) void deps.views.add(step.item);
      await deps.views.flush();
      if (this.has(step.item)) this.views.push({ ...step, at: now });
    } else if (step.kind === 'wait') {
      this.now = new Date(now.getTime() + step.hours * HOUR_MS);
    } else if (step.kind === 'sweep') {
      for (let time = 0; time < step.times; time++) await job.run();
    } else if (step.kind === 'fail') {
      deps.db.client.run(
        `create trigger fail before update on item_views when new.item_id = ${step.item} begin select raise(abort, 'x'); end`,
      );
      await job.run().catch(() => {});
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
    const job = createWindows(items.definition, {
      db: this.deps.db,
      now: () => this.now,
      batch: BATCH,
    });
    while (await job.run());
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

  /** The expected counters. */
  remembered() {
    const since = (isIn: (at: Date) => boolean, id: number) =>
      this.views
        .filter((view) => view.item === id && isIn(view.at))
        .reduce((sum, { count }) => sum + count, 0);
    const hour = hourOf(this.now);
    const day = dayOf(this.now);
    return IDS.filter((id) => this.has(id)).map((id) => [
      id,
      since((at) => hourOf(at) > hour - 24, id),
      since((at) => dayOf(at) > day - 7, id),
      since((at) => dayOf(at) > day - 30, id),
    ]);
  }

  async statsOf(window: 'week' | 'month') {
    const found = IDS.filter((id) => this.has(id));
    const all = found.map((id) => this.deps.itemStats.get(NOBODY, id, window));
    return (await Promise.all(all)).map(({ views }) => views);
  }

  async end(): Promise<void> {
    await this.deps.close();
    rmSync(this.dir, { recursive: true });
  }
}
