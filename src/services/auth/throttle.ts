import { and, eq, gte, inArray, lt, lte, or, sql } from 'drizzle-orm';
import { networkOf } from '../../core/client-address.ts';
import type { Db, Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import { type SignInFailures, signInFailures } from '../../models/sign-in-failures.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';

/** The free failures are counted in a window of this length, from the first one on. */
const WINDOW_MS = 15 * MINUTE_MS;
/** The longest wait: no account is locked forever. */
const MAX_WAIT_MS = 15 * MINUTE_MS;
/** Failures that cause waits expire this long after the last one. */
const FORGET_MS = 24 * 60 * MINUTE_MS;
/** The wait when as many attempts are in progress as are allowed. */
const BUSY_MS = 1000;
const CLEAN_EVERY_MS = 10 * MINUTE_MS;
const CLEAN_BATCH = 1000;

/** The counters of an attempt at a password or code. */
export interface Guesser {
  /** An account, or one of its devices or sessions; each has its own failures and waits. */
  bucket: string;
  /** A client address whose failures on all accounts are counted too; null for none. */
  address: string | null;
}

/** An admitted attempt. It occupies a place in its buckets until `end` is called. */
export interface Attempt {
  /** Counts the attempt as a failure, in the caller's transaction. */
  fail(tx: Session): Promise<void>;
  /** Clears the failures of the bucket, but not those of the address. */
  succeed(): Promise<void>;
  end(): void;
}

export interface SignInThrottle {
  /**
   * Admits an attempt before its work begins. Throws too_many_requests while the bucket or the
   * address has to wait: 1 s after the last free failure; after each wait, one attempt is admitted, and
   * its failure doubles the wait, up to 15 minutes.
   */
  begin(guesser: Guesser): Promise<Attempt>;
  /** Clears the failures of an account, including those from its known networks. */
  forget(tx: Session, user_id: number): Promise<void>;
  /** Deletes expired failures, and more if there are too many rows. */
  job: Job;
}

export interface ThrottleDeps {
  db: Db;
  now(): Date;
  /** The free failures per 15 minutes, of one bucket and of one address. */
  config: { limitSignIns: number; limitSignInsAddress: number; rateLimit: 'on' | 'off' };
  maxRows?: number;
}

const MAX_ROWS = 100_000;
/** Counts nothing: for load tests, and for servers behind another limit. */
const UNLIMITED: Attempt = { fail: async () => {}, succeed: async () => {}, end: () => {} };

/** The bucket of an account, shared by all clients unknown to it. */
export const accountBucket = (user_id: number) => `account:${user_id}`;

/** The bucket of a session: the failures of others do not delay its owner. */
export const sessionBucket = (session_id: number) => `session:${session_id}`;

/** The bucket of an account for a network that it has a session from. */
export const accountNetworkBucket = (user_id: number, network: string) =>
  `${accountBucket(user_id)}@${network}`;

interface Bucket {
  key: string;
  free: number;
}

const failuresOf = prepare<{ bucket: string }, SignInFailures[]>((orm) =>
  orm
    .select()
    .from(signInFailures)
    .where(eq(signInFailures.bucket, sql.placeholder('bucket'))),
);

/**
 * Limits failed attempts. Failures are stored in the database, so that a restart does not clear them.
 * They are written with the audit entry of the attempt; refused attempts write nothing.
 */
export function createSignInThrottle(deps: ThrottleDeps): SignInThrottle {
  const { db, now, config } = deps;
  /** Attempts in progress, by bucket. */
  const inProgress = new Map<string, number>();
  const add = (key: string, count: number) => {
    const sum = (inProgress.get(key) ?? 0) + count;
    if (sum > 0) inProgress.set(key, sum);
    else inProgress.delete(key);
  };
  const readWait = async ({ key, free }: Bucket) => {
    const row = await liveRow(db.read, key, now());
    return () => waitMs(row, free, inProgress.get(key) ?? 0, now());
  };
  return {
    begin: async (guesser) => {
      if (config.rateLimit === 'off') return UNLIMITED;
      const buckets = bucketsOf(guesser, config);
      const waits: (() => number)[] = [];
      for (const bucket of buckets) waits.push(await readWait(bucket));
      // Synchronous from here on, so that concurrent attempts cannot exceed the limit.
      const longestMs = Math.max(...waits.map((wait) => wait()));
      if (longestMs > 0) throw tooMany(longestMs);
      for (const { key } of buckets) add(key, 1);
      return {
        fail: async (tx) => {
          for (const bucket of buckets) await countFailure(tx, bucket, now());
        },
        succeed: () => forgetBucket(db, guesser.bucket),
        end: () => {
          for (const { key } of buckets.splice(0)) add(key, -1);
        },
      };
    },
    forget: forgetAccount,
    job: createPurge(deps),
  };
}

async function forgetAccount({ orm }: Session, user_id: number): Promise<void> {
  const { bucket } = signInFailures;
  const own = accountBucket(user_id);
  // The keys of networks continue with @, the character before A.
  const isNetwork = and(gte(bucket, `${own}@`), lt(bucket, `${own}A`));
  await orm.delete(signInFailures).where(or(eq(bucket, own), isNetwork));
}

/**
 * Deletes expired failures and, beyond `maxRows`, those that expire next, so that an attack from many
 * addresses on many names cannot fill the disk.
 */
const createPurge = ({ db, now, maxRows = MAX_ROWS }: ThrottleDeps): Job => ({
  name: 'sign-in failures',
  everyMs: CLEAN_EVERY_MS,
  run: () =>
    db.write(async ({ orm }) => {
      const { bucket, expires_at } = signInFailures;
      const excess = (await orm.$count(signInFailures)) - maxRows;
      const next = orm.select({ bucket }).from(signInFailures).orderBy(expires_at);
      const doomed =
        excess > 0
          ? next.limit(Math.min(excess, CLEAN_BATCH))
          : next.where(lte(expires_at, now().toISOString())).limit(CLEAN_BATCH);
      const gone = await orm.delete(signInFailures).where(inArray(bucket, doomed)).returning();
      return gone.length === CLEAN_BATCH;
    }),
});

function bucketsOf({ bucket, address }: Guesser, config: ThrottleDeps['config']): Bucket[] {
  const own = { key: bucket, free: config.limitSignIns };
  if (address === null) return [own];
  return [own, { key: `network:${networkOf(address)}`, free: config.limitSignInsAddress }];
}

async function liveRow(session: Session, bucket: string, at: Date) {
  const [row] = await failuresOf(session, { bucket });
  return row && row.expires_at > at.toISOString() ? row : undefined;
}

/** The wait of an attempt in milliseconds; 0 if it is admitted. */
function waitMs(row: SignInFailures | undefined, free: number, inProgress: number, at: Date) {
  const failures = row?.failures ?? 0;
  if (!row || failures < free) return failures + inProgress < free ? 0 : BUSY_MS;
  const sinceMs = at.getTime() - Date.parse(row.failed_at);
  const wholeMs = Math.min(2 ** (failures - free) * 1000, MAX_WAIT_MS);
  // A clock that was set back ends the wait instead of prolonging it.
  const leftMs = sinceMs < 0 ? 0 : wholeMs - sinceMs;
  return leftMs <= 0 && inProgress > 0 ? BUSY_MS : Math.max(0, leftMs);
}

async function countFailure(tx: Session, { key: bucket, free }: Bucket, at: Date): Promise<void> {
  const row = await liveRow(tx, bucket, at);
  const failures = (row?.failures ?? 0) + 1;
  const after = (ms: number) => new Date(at.getTime() + ms).toISOString();
  const expires_at = failures >= free ? after(FORGET_MS) : (row?.expires_at ?? after(WINDOW_MS));
  const set = { failures, failed_at: at.toISOString(), expires_at };
  const target = signInFailures.bucket;
  await tx.orm
    .insert(signInFailures)
    .values({ bucket, ...set })
    .onConflictDoUpdate({ target, set });
}

/** Writes nothing if there are no failures, as after most sign-ins. */
async function forgetBucket(db: Db, bucket: string): Promise<void> {
  if ((await failuresOf(db.read, { bucket })).length === 0) return;
  await db.write(async ({ orm }) => {
    await orm.delete(signInFailures).where(eq(signInFailures.bucket, bucket));
  });
}

/** Does not reveal which of the buckets was full. */
function tooMany(waitMs: number): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new AppError('too_many_requests', 'Too many attempts, try again later', {
    retryAfterSeconds,
  });
}
