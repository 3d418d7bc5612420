import { and, asc, eq, lt, sql } from 'drizzle-orm';
import type { Actor } from '../core/actor.ts';
import type { Db } from '../core/db/db.ts';
import { prepare, type Query } from '../core/db/query.ts';
import type { Tx } from '../core/db/writer.ts';
import { AppError } from '../core/exceptions.ts';
import type { Running } from '../core/running.ts';
import type { SecretBox } from '../core/security/secret-box.ts';
import { type IdempotencyKey, idempotencyKeys } from '../models/index.ts';
import { timeBudget } from '../utils/time/time-budget.ts';
import { DAY_MS, HOUR_MS } from '../utils/time/units.ts';
import { type Chore, PIECE_MS } from './jobs.ts';
import type { Quotas } from './quotas.ts';
import { answerSealer, openAnswer } from './sealed-answers.ts';

/** How long a repeat gets the first answer, at least. */
export const KEPT_MS = DAY_MS;
export const EVERY_MS = HOUR_MS;
/** Keys deleted in one step: the response to a batch has about 50 KB. */
const STEP = 20;

export interface IdempotencyDeps {
  db: Db;
  running: Running;
  quotas: Quotas;
  box: SecretBox;
  now(): Date;
}

/** A request that may come again: whose it is, and what tells it from any other. */
export type Keyed = Pick<IdempotencyKey, 'key' | 'request_hash'> & {
  actor: Actor;
  /** Whether the response shows a secret: it is stored sealed. */
  isSecret?: boolean | undefined;
};

/** What a request was answered; `body` is JSON. */
export type KeptAnswer = Pick<IdempotencyKey, 'status' | 'location' | 'body'>;

/** What else belongs to a write, in the same transaction: both hold or neither. */
export type OnWritten<T> = (tx: Tx, written: T) => Promise<void>;

const keptAnswer = prepare<Pick<IdempotencyKey, 'user_id' | 'key'>, IdempotencyKey[]>((orm) =>
  orm
    .select()
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.user_id, sql.placeholder('user_id')),
        eq(idempotencyKeys.key, sql.placeholder('key')),
      ),
    ),
);

const keepAnswer = prepare<IdempotencyKey, IdempotencyKey[]>((orm) =>
  orm
    .insert(idempotencyKeys)
    .values({
      user_id: sql.placeholder('user_id'),
      key: sql.placeholder('key'),
      request_hash: sql.placeholder('request_hash'),
      status: sql.placeholder('status'),
      location: sql.placeholder('location'),
      body: sql.placeholder('body'),
      created_at: sql.placeholder('created_at'),
    })
    .onConflictDoNothing()
    .returning(),
);

/** Sees to it that a request which is sent twice is done once. */
export const createIdempotency = ({ db, running, quotas, box, now }: IdempotencyDeps) => ({
  /**
   * The answer to an earlier request with this key, or undefined once `work` has done it: `work`
   * must call `keep` with its answer, in the transaction of its write. What fails keeps nothing,
   * so that a repeat tries again. Throws idempotency_mismatch when the key was another
   * request's, idempotency_running while that is under way, quota_exceeded when the account has too
   * many stored responses, secrets_unreadable, and what `work` throws.
   */
  once: async (
    keyed: Keyed,
    work: (keep: OnWritten<KeptAnswer>) => Promise<void>,
  ): Promise<KeptAnswer | undefined> => {
    const { actor, key, request_hash, isSecret = false } = keyed;
    const user_id = actor.id;
    const name = `${user_id} ${key}`;
    const binding = `response ${name}`;
    if (!(await running.claim(name))) throw stillRunning();
    try {
      // After the claim: who had it before has committed by now.
      const [kept] = await keptAnswer(db.read, { user_id, key });
      if (kept && kept.request_hash !== request_hash) throw mismatch();
      if (kept)
        return isSecret ? { ...kept, body: await openAnswer(box, kept.body, binding) } : kept;
      const seal = isSecret ? answerSealer(box) : (text: string) => text;
      await work(async (tx, answer) => {
        const body = seal(answer.body, binding);
        const added = { idempotency_keys: 1, idempotency_bytes: Buffer.byteLength(body) };
        await quotas.admit(tx, actor, user_id, added);
        const row = {
          user_id,
          key,
          request_hash,
          ...answer,
          body,
          created_at: now().toISOString(),
        };
        await keep(tx, row);
      });
      return undefined;
    } finally {
      await running.release(name);
    }
  },
});

/** Forgets answers after a day. */
export const createIdempotencyPurge = ({
  db,
  now,
}: Pick<IdempotencyDeps, 'db' | 'now'>): Chore => ({
  name: 'idempotency keys',
  everyMs: EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - KEPT_MS).toISOString();
    return db.write(async (tx) => {
      const hasTime = timeBudget(PIECE_MS);
      do if ((await deleteOldest(tx, { until })).length === 0) return false;
      while (hasTime());
      return true;
    });
  },
});

const deleteOldest: Query<{ until: string }, { key: string }[]> = prepare((orm) => {
  const { user_id, key, created_at } = idempotencyKeys;
  const oldest = orm
    .select({ user_id, key })
    .from(idempotencyKeys)
    .where(lt(created_at, sql.placeholder('until')))
    .orderBy(asc(created_at))
    .limit(STEP);
  return orm
    .delete(idempotencyKeys)
    .where(sql`(${user_id}, ${key}) in ${oldest}`)
    .returning({ key });
});

/** Another process may have done the same meanwhile: then this one's work is taken back. */
async function keep(tx: Tx, row: IdempotencyKey): Promise<void> {
  if ((await keepAnswer(tx, row)).length === 0) throw stillRunning();
}

export function stillRunning(): AppError {
  const msg = 'A request with this Idempotency-Key is under way';
  return new AppError('idempotency_running', msg, { retryAfterSeconds: 1 });
}

function mismatch(): AppError {
  return new AppError('idempotency_mismatch', 'This Idempotency-Key was used for another request');
}
