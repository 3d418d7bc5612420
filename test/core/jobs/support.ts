import { createJobs } from '../../../src/core/jobs/index.ts';
import { createJobQueue } from '../../../src/core/jobs/queue.ts';
import type { Job } from '../../../src/core/jobs/recurring.ts';
import type { Log } from '../../../src/core/log.ts';
import type { TestApp } from '../../support.ts';

export interface JobsOptions {
  random?: () => number;
  /** Milliseconds since 1970. */
  at?: number;
  recurring?: Job[];
  log?: Log;
  drainMs?: number;
}

export interface StoredJob {
  id: number;
  name: string;
  key: string | null;
  state: string;
  payload: string;
  attempts: number;
  due_at: string;
  holder: string | null;
  last_error: string | null;
}

export const START_MS = Date.parse('2026-11-22T16:00:00.000Z');
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export type TestJobs = ReturnType<typeof jobsOf>;

/** A process of its own on the database of `t`, with a manual clock and manual timers. */
export function jobsOf(t: TestApp, options: JobsOptions = {}) {
  const { random = () => 0.5, at = START_MS, recurring = [], log = t.deps.log, drainMs } = options;
  const clock = { ms: at };
  const timers: { wake: () => void; delayMs: number }[] = [];
  const setTimer = (wake: () => void, delayMs: number) => {
    const timer = { wake, delayMs };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0);
  };
  const now = () => new Date(clock.ms);
  const { db, box } = t.deps;
  const queue = createJobQueue({ box, now });
  const jobs = createJobs({ db, log, queue, now, random, setTimer, recurring, drainMs });
  return {
    queue,
    jobs,
    timers,
    clock,
    now,
    pass: (ms: number) => {
      clock.ms += ms;
    },
    /** Fires the pending timer. */
    fire: () => timers.shift()?.wake(),
    enqueue: (name: string, payload: unknown = null, more: { at?: Date; key?: string } = {}) =>
      db.write((tx) => queue.enqueue(tx, name, payload, more)),
  };
}

export const rows = (t: TestApp) =>
  t.deps.db.client.query('select * from jobs order by id').all() as StoredJob[];
