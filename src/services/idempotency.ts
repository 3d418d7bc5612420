import { and, asc, eq, getTableColumns, lt, sql } from 'drizzle-orm';
import type { Actor } from '../core/actor.ts';
import { type Claims, createClaims } from '../core/claims.ts';
import type { Db } from '../core/db/db.ts';
import { prepare, type Query } from '../core/db/query.ts';
import type { Tx } from '../core/db/writer.ts';
import { AppError } from '../core/exceptions.ts';
import { type Job, runSteps } from '../core/jobs/recurring.ts';
import { type Sealer, type SecretBox, SecretError } from '../core/security/secret-box.ts';
import { type IdempotencyKey, idempotencyKeys } from '../models/idempotency.ts';
import { DAY_MS, HOUR_MS } from '../utils/time/units.ts';
import type { Quotas } from './quotas.ts';

/** The shortest time for which a repeat gets the stored response. */
export const RETENTION_MS = DAY_MS;
export const PURGE_EVERY_MS = HOUR_MS;
/** Keys deleted in one statement: the response to a batch has about 50 KB. */
const STEP = 20;

export interface IdempotencyDeps {
  db: Db;
  claims?: Claims;
  quotas: Quotas;
  box: SecretBox;
  now(): Date;
}

/** A request that may be repeated: its account, its key and the hash that identifies it. */
export type KeyedRequest = Pick<IdempotencyKey, 'key' | 'request_hash'> & {
  actor: Actor;
  /** True if the response shows a secret: it is stored sealed. */
  isSecret?: boolean | undefined;
};

/** The response to a request, as the API encodes it. Only the size of `body` matters here. */
export type StoredResponse = Omit<
  IdempotencyKey,
  'user_id' | 'key' | 'request_hash' | 'created_at'
>;

/** Further writes that belong to a write, in the same transaction: both commit or neither. */
export type OnWritten<T> = (tx: Tx, written: T) => Promise<void>;

export type Idempotency = ReturnType<typeof createIdempotency>;

/** Processes a request that is sent twice only once. */
export const createIdempotency = ({
  db,
  claims = createClaims(),
  quotas,
  box,
  now,
}: IdempotencyDeps) => ({
  /**
   * Returns the response to an earlier request with this key, or undefined after `work` has
   * processed this one: `work` must call `store` with its response, in the transaction of its
   * write. A request that fails stores nothing, so that a repeat tries again. Throws
   * idempotency_mismatch when another request used the key, idempotency_running while that request
   * is being processed, quota_exceeded when the account has too many stored responses,
   * secrets_unreadable, and what `work` throws.
   */
  once: async (
    { actor, key, request_hash, isSecret = false }: KeyedRequest,
    work: (store: OnWritten<StoredResponse>) => Promise<void>,
  ): Promise<StoredResponse | undefined> => {
    const user_id = actor.id;
    const name = `${user_id} ${key}`;
    const binding = `response ${name}`;
    if (!(await claims.claim(name))) throw stillRunning();
    try {
      // After the claim: its previous holder has committed by now.
      const [stored] = await storedResponse(db.read, { user_id, key });
      if (stored) {
        if (stored.request_hash !== request_hash) throw mismatch();
        return isSecret
          ? { ...stored, body: await openResponse(box, stored.body, binding) }
          : stored;
      }
      const seal = isSecret ? responseSealer(box) : (text: string) => text;
      await work(async (tx, response) => {
        const body = seal(response.body, binding);
        const added = { idempotency_keys: 1, idempotency_bytes: Buffer.byteLength(body) };
        await quotas.admit(tx, actor, user_id, added);
        const row = { ...response, user_id, key, request_hash, body };
        await store(tx, { ...row, created_at: now().toISOString() });
      });
      return undefined;
    } finally {
      await claims.release(name);
    }
  },

  /**
   * Runs a request that writes in several transactions. `work` gets what an earlier attempt with the
   * key stored last, complete or not, and `store`, which replaces it in a transaction of the work: a
   * repeat continues after what is committed. Throws idempotency_mismatch when another request used
   * the key, idempotency_running while that one is being processed, quota_exceeded when the
   * account has too many stored responses, and what `work` throws.
   */
  resume: async <R>(
    { actor, key, request_hash }: KeyedRequest,
    work: (stored: StoredResponse | undefined, store: OnWritten<StoredResponse>) => Promise<R>,
  ): Promise<R> => {
    const user_id = actor.id;
    const name = `${user_id} ${key}`;
    if (!(await claims.claim(name))) throw stillRunning();
    try {
      const [first] = await storedResponse(db.read, { user_id, key });
      if (first && first.request_hash !== request_hash) throw mismatch();
      let last = first?.body;
      return await work(first, async (tx, response) => {
        if (last !== undefined) await replaceOwn(tx, { user_id, key, body: last });
        const { body } = response;
        const added = { idempotency_keys: 1, idempotency_bytes: Buffer.byteLength(body) };
        await quotas.admit(tx, actor, user_id, added);
        const row = { ...response, user_id, key, request_hash };
        await store(tx, { ...row, created_at: now().toISOString() });
        tx.afterCommit(() => {
          last = body;
        });
      });
    } finally {
      await claims.release(name);
    }
  },
});

/** Deletes stored responses after a day. */
export const createIdempotencyPurge = ({ db, now }: Pick<IdempotencyDeps, 'db' | 'now'>): Job => ({
  name: 'idempotency keys',
  everyMs: PURGE_EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - RETENTION_MS).toISOString();
    return runSteps(db, async (tx) => (await deleteOldest(tx, { until })).length > 0);
  },
});

/** Creates a function that seals responses that show a secret. Throws secrets_unreadable. */
export function responseSealer(box: SecretBox): Sealer {
  try {
    return box.sealer();
  } catch (error) {
    throw unreadable(error);
  }
}

/** The plain text of a sealed response. Throws secrets_unreadable. */
export async function openResponse(
  box: SecretBox,
  sealed: string,
  binding: string,
): Promise<string> {
  try {
    return await box.open(sealed, binding);
  } catch (error) {
    throw unreadable(error);
  }
}

/** The error for a request whose key belongs to one that is still being processed. */
export function stillRunning(): AppError {
  const msg = 'A request with this Idempotency-Key is being processed';
  return new AppError('idempotency_running', msg, { retryAfterSeconds: 1 });
}

/** Throws idempotency_running if another process did the same meanwhile: it undoes the work here. */
async function store(tx: Tx, row: IdempotencyKey): Promise<void> {
  if ((await insertKey(tx, row)).length === 0) throw stillRunning();
}

/** Deletes the last state of this request. Throws idempotency_running if another process replaced it. */
async function replaceOwn(tx: Tx, own: Own): Promise<void> {
  if ((await deleteOwn(tx, own)).length === 0) throw stillRunning();
}

/** The error for a key that another request used. */
export function mismatch(): AppError {
  return new AppError('idempotency_mismatch', 'This Idempotency-Key was used for another request');
}

/** The reason is in the cause, which only the log shows. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof SecretError)) return error;
  const message = 'The response cannot be stored or read with the key of this server';
  return new AppError('secrets_unreadable', message, { cause: error });
}

const storedResponse = prepare<Pick<IdempotencyKey, 'user_id' | 'key'>, IdempotencyKey[]>((orm) =>
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

const insertKey = prepare<IdempotencyKey, IdempotencyKey[]>((orm) => {
  const names = Object.keys(getTableColumns(idempotencyKeys));
  const values = Object.fromEntries(names.map((name) => [name, sql.placeholder(name)]));
  return orm
    .insert(idempotencyKeys)
    .values(values as never)
    .onConflictDoNothing()
    .returning();
});

type Own = Pick<IdempotencyKey, 'user_id' | 'key' | 'body'>;

const deleteOwn = prepare<Own, { key: string }[]>((orm) => {
  const { user_id, key, body } = idempotencyKeys;
  return orm
    .delete(idempotencyKeys)
    .where(
      and(
        eq(user_id, sql.placeholder('user_id')),
        eq(key, sql.placeholder('key')),
        eq(body, sql.placeholder('body')),
      ),
    )
    .returning({ key });
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
