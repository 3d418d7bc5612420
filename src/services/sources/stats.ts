import { and, asc, eq, gte, inArray, lt } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';
import { sourceCalls, sources } from '../../models/index.ts';
import { HOUR_MS } from '../../utils/time/units.ts';
import { requireAdmin } from '../admins-only.ts';
import type { Job } from '../jobs.ts';
import { getSource } from './rows.ts';
import {
  type CallCounts,
  type CallOutcome,
  columnsOf,
  countsOf,
  emptyTally,
  merged,
  type Tally,
  tallyIn,
  withCall,
} from './tally.ts';

export interface SourceStatsDeps {
  db: Db;
  log: Log;
  now(): Date;
}

/** Counts of the last hours together, and of each of them that had calls. */
export type SourceStatsReport = CallCounts & { hours: (CallCounts & { hour: string })[] };

export type SourceStats = ReturnType<typeof createSourceStats>;

/** The longest that a count stays in memory alone. */
const MAX_DELAY_MS = 3_000;
const KEPT_HOURS = 30 * 24;
/** Rows deleted in one transaction. */
const BATCH = 500;

/** Counts calls in memory and writes them together: a call costs no write. */
export function createSourceStats(deps: SourceStatsDeps) {
  const { db, log, now } = deps;
  let pending = new Map<string, Tally>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing
      .catch(() => {})
      .then(async () => {
        if (pending.size === 0) return;
        const taken = pending;
        pending = new Map();
        try {
          await db.write((tx) => writeAll(tx, taken));
        } catch (error) {
          for (const [key, tally] of taken) pending.set(key, merged(tally, pending.get(key)));
          throw error;
        }
      });
    return writing;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => {
      flush().catch((error) => {
        log.error('Counts of calls could not be written; they stay pending.', { error });
        flushLater();
      });
    }, MAX_DELAY_MS);
  };
  return {
    /** Counts a call that has just ended. */
    add: (sourceId: number, outcome: CallOutcome): void => {
      const key = `${sourceId} ${Math.floor(now().getTime() / HOUR_MS)}`;
      pending.set(key, withCall(pending.get(key) ?? emptyTally(), outcome));
      flushLater();
    },
    /** Writes all pending counts; what fails to be written stays pending. */
    flush,
    /**
     * The counts of the current hour and those before it, `hours` in all, for an admin. Throws
     * forbidden, not_found.
     */
    report: async (actor: Actor, name: string, hours: number): Promise<SourceStatsReport> => {
      requireAdmin(actor);
      const { id } = await getSource(db.read, name);
      await flush();
      return reportOf(db, id, Math.floor(now().getTime() / HOUR_MS) - hours + 1);
    },
    /** Deletes counts that are older than 30 days. */
    purge: createPurge(deps),
  };
}

function createPurge({ db, now }: Pick<SourceStatsDeps, 'db' | 'now'>): Job {
  return {
    name: 'source calls purge',
    everyMs: HOUR_MS,
    run: () =>
      db.write(async ({ orm }) => {
        const until = Math.floor(now().getTime() / HOUR_MS) - KEPT_HOURS;
        const [oldest] = await orm
          .select({ hour: sourceCalls.hour })
          .from(sourceCalls)
          .where(lt(sourceCalls.hour, until))
          .orderBy(asc(sourceCalls.hour))
          .limit(1);
        if (!oldest) return false;
        const isOldest = eq(sourceCalls.hour, oldest.hour);
        const due = orm.select({ id: sourceCalls.source_id }).from(sourceCalls).where(isOldest);
        const isDue = and(isOldest, inArray(sourceCalls.source_id, due.limit(BATCH)));
        await orm.delete(sourceCalls).where(isDue);
        return true;
      }),
  };
}

async function writeAll(tx: Tx, tallies: Map<string, Tally>): Promise<void> {
  for (const [key, tally] of tallies) {
    const [source_id = 0, hour = 0] = key.split(' ').map(Number);
    const isSource = eq(sources.id, source_id);
    const [source] = await tx.orm.select({ id: sources.id }).from(sources).where(isSource);
    // Its counts went with it.
    if (!source) continue;
    const isOwn = and(eq(sourceCalls.source_id, source_id), eq(sourceCalls.hour, hour));
    const [row] = await tx.orm.select().from(sourceCalls).where(isOwn);
    const columns = columnsOf(merged(tally, row && tallyIn(row)));
    await tx.orm
      .insert(sourceCalls)
      .values({ source_id, hour, ...columns })
      .onConflictDoUpdate({ target: [sourceCalls.source_id, sourceCalls.hour], set: columns });
  }
}

async function reportOf({ read }: Db, id: number, from: number): Promise<SourceStatsReport> {
  const rows = await read.orm
    .select()
    .from(sourceCalls)
    .where(and(eq(sourceCalls.source_id, id), gte(sourceCalls.hour, from)))
    .orderBy(asc(sourceCalls.hour));
  const tallies = rows.map(tallyIn);
  return {
    ...countsOf(tallies.reduce((sum, it) => merged(it, sum), emptyTally())),
    hours: rows.map((row, index) => ({
      hour: new Date(row.hour * HOUR_MS).toISOString(),
      ...countsOf(tallies[index] as Tally),
    })),
  };
}
