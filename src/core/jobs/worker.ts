import type { JobRow } from '../../models/jobs.ts';
import type { Db } from '../db/db.ts';
import type { Log } from '../log.ts';
import { newToken } from '../security/security.ts';
import type { JobDefinition } from './definition.ts';
import type { JobQueue } from './queue.ts';
import { bringForward, expired, firstDue, running } from './rows.ts';
import { runJob } from './run.ts';
import { createSchedules } from './schedules.ts';
import { type Candidate, CONCURRENCY, lostOf, storeLost, takeJobs } from './take.ts';
import { createWakes, type SetTimer } from './wakes.ts';

export interface WorkerDeps {
  db: Pick<Db, 'read' | 'write'>;
  queue: JobQueue;
  log: Log;
  now(): Date;
  random?: (() => number) | undefined;
  setTimer?: SetTimer | undefined;
  /** The time for which a stop waits for running jobs. Default: 5 seconds. */
  drainMs?: number | undefined;
}

export interface StartOptions {
  /** True if no other process uses the database: running jobs are those of a process that has ended. */
  isAlone: boolean;
}

const DRAIN_MS = 5_000;
/** The time for which a stop waits for the end of jobs that it aborted. */
const ABORT_MS = 1_000;

/** Runs the queued jobs, each in at most one process at a time as long as its lease lasts. */
export function createWorker(deps: WorkerDeps) {
  const { db, queue, now, drainMs = DRAIN_MS } = deps;
  const holder = newToken().slice(0, 16);
  const stopping = new AbortController();
  const runs = new Map<number, { name: string; end: Promise<void> }>();
  const schedules = createSchedules(deps);
  /** When the first waiting job of each name is due, in milliseconds since 1970. */
  const nextMs = new Map<string, number>();
  let scheduledMs = Number.POSITIVE_INFINITY;
  let isToRecover = false;
  let latest = now();

  const freeOf = ({ name, concurrency = CONCURRENCY }: JobDefinition): number =>
    concurrency - [...runs.values()].filter((it) => it.name === name).length;

  /** Resolves to undefined if no job of this name can be taken. */
  const candidate = async (definition: JobDefinition): Promise<Candidate | undefined> => {
    const free = freeOf(definition);
    if (free <= 0) return undefined;
    const { name } = definition;
    const time = now().toISOString();
    const others = (await expired(db.read, { name, now: time })).filter(({ id }) => !runs.has(id));
    const [first] = await firstDue(db.read, { name, state: 'waiting' });
    const isDue = others.length > 0 || (first !== undefined && first.due_at <= time);
    return isDue ? { definition, free, lost: await lostOf(deps, others) } : undefined;
  };

  const start = (row: JobRow): void => {
    const end = runJob({ ...deps, stopping: stopping.signal }, row).then(() => {
      runs.delete(row.id);
      wakes.wake(row.name);
    });
    runs.set(row.id, { name: row.name, end });
  };

  /** Without this, jobs that wait would wait for the clock to reach its former time again. */
  const followClock = async (): Promise<void> => {
    const time = now();
    const until = latest.toISOString();
    const isSetBack = time < latest;
    latest = time;
    if (!isSetBack) return;
    await db.write(async (tx) => {
      for (const name of queue.definitions.keys()) {
        await bringForward(tx, { name, now: time.toISOString(), until });
      }
    });
  };

  /** Takes over the running jobs of a process that has ended, once. */
  const recover = async (): Promise<void> => {
    if (!isToRecover) return;
    const lost = await lostOf(deps, await running(db.read, {}));
    if (lost.length > 0) await db.write((tx) => storeLost(tx, lost));
    isToRecover = false;
  };

  /** Starts the due jobs of these names, or of all, and returns the milliseconds until the next. */
  const pass = async (names: ReadonlySet<string> | undefined): Promise<number> => {
    await followClock();
    await recover();
    if (!names) scheduledMs = await schedules.tick();
    const asked = [...queue.definitions.values()].filter(({ name }) => names?.has(name) ?? true);
    const candidates: Candidate[] = [];
    for (const definition of asked) {
      const found = await candidate(definition);
      if (found) candidates.push(found);
    }
    if (candidates.length > 0) {
      const taking = { holder, now: now() };
      for (const row of await db.write((tx) => takeJobs(tx, candidates, taking))) start(row);
    }
    for (const definition of asked) nextMs.set(definition.name, await nextOf(definition));
    return Math.min(scheduledMs, ...nextMs.values()) - now().getTime();
  };

  /** The end of a run wakes a name without free places. */
  const nextOf = async (definition: JobDefinition): Promise<number> => {
    if (freeOf(definition) <= 0) return Number.POSITIVE_INFINITY;
    const [first] = await firstDue(db.read, { name: definition.name, state: 'waiting' });
    return first ? Date.parse(first.due_at) : Number.POSITIVE_INFINITY;
  };

  const ends = () => Promise.all([...runs.values()].map(({ end }) => end));
  const wakes = createWakes({ ...deps, pass });
  queue.onEnqueued(wakes.wake);
  return {
    /** Starts to run jobs. */
    start: ({ isAlone }: StartOptions): void => {
      isToRecover = isAlone;
      wakes.start();
    },

    /** Runs jobs until none is due. For tests and commands. */
    runDue: async (): Promise<void> => {
      do await pass(undefined);
      while ((await ends()).length > 0 && !stopping.signal.aborted);
    },

    /** Starts no more jobs and waits for the running ones; those that take too long are aborted. */
    stop: async (): Promise<void> => {
      await wakes.stop();
      await within(drainMs, ends());
      stopping.abort(new Error('The server stops'));
      await within(ABORT_MS, ends());
    },
  };
}

/** Waits for `work`, at most `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
