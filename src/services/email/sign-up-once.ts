import { asc, eq, inArray, lt, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import { createClaims } from '../../core/claims.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, type ErrorCode } from '../../core/exceptions.ts';
import { type Job, runSteps } from '../../core/jobs/recurring.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type SignUpKey, signUpKeys } from '../../models/sign-up-keys.ts';
import type { OpenedSession } from '../auth/auth.ts';
import { type Credentials, type CredentialsDeps, verifyCredentials } from '../auth/credentials.ts';
import {
  type OnWritten,
  openResponse,
  PURGE_EVERY_MS,
  RETENTION_MS,
  responseSealer,
  stillRunning,
} from '../idempotency.ts';

/** Keys deleted in one statement. */
const STEP = 100;

export interface SignUpOnceDeps extends CredentialsDeps {
  box: SecretBox;
  isVerificationRequired: boolean;
  now(): Date;
}

/** A sign-up that may be repeated, with the credentials of its account. */
export interface KeyedSignUp extends Credentials {
  /** The hash of the key and the body without its password; see `SignUpKey`. Undefined without a key. */
  request_hash: string | undefined;
}

export interface SignUpResult {
  /** Undefined if the address must be confirmed first. */
  opened: OpenedSession | undefined;
  isReplayed: boolean;
}

type Work = (
  onWritten?: OnWritten<OpenedSession | undefined>,
) => Promise<OpenedSession | undefined>;

const storedSignUp = prepare<Pick<SignUpKey, 'request_hash'>, SignUpKey[]>((orm) =>
  orm
    .select()
    .from(signUpKeys)
    .where(eq(signUpKeys.request_hash, sql.placeholder('request_hash'))),
);

/** Processes a sign-up that is sent twice only once: one account, one session. */
export const createSignUpOnce = (deps: SignUpOnceDeps, claims = createClaims()) => ({
  /**
   * Returns the result of an earlier sign-up with this hash, or else that of `work`, which must call
   * `onWritten` in the transaction of its write. A session is returned again only with the password of
   * its account; otherwise the request counts as a new one, and the address is taken. Throws
   * idempotency_running, secrets_unreadable, too_many_requests and the errors of `work`.
   */
  run: async (actor: AnyActor, request: KeyedSignUp, work: Work): Promise<SignUpResult> => {
    const { request_hash } = request;
    if (request_hash === undefined) return { opened: await work(), isReplayed: false };
    if (!(await claims.claim(request_hash))) throw stillRunning();
    try {
      const [stored] = await storedSignUp(deps.db.read, { request_hash });
      if (stored && (await isOwn(deps, actor, stored, request))) {
        return { opened: await openStored(deps, stored), isReplayed: true };
      }
      return { opened: await workAndStore(deps, request_hash, work), isReplayed: false };
    } finally {
      await claims.release(request_hash);
    }
  },
});

/** The errors of credentials that do not belong to the stored session. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'bad_credentials',
  'inactive_user',
  'second_factor_required',
]);

/** A response without a session is safe to repeat. */
async function isOwn(
  deps: SignUpOnceDeps,
  actor: AnyActor,
  { user_id }: SignUpKey,
  request: KeyedSignUp,
): Promise<boolean> {
  if (user_id === null) return true;
  try {
    return (await verifyCredentials(deps, actor, request)).user.id === user_id;
  } catch (error) {
    if (error instanceof AppError && REFUSALS.has(error.code)) return false;
    throw error;
  }
}

async function openStored(
  { box }: SignUpOnceDeps,
  { session, request_hash }: SignUpKey,
): Promise<OpenedSession | undefined> {
  if (session === null) return undefined;
  return JSON.parse(await openResponse(box, session, bindingOf(request_hash)));
}

async function workAndStore(
  { box, isVerificationRequired, now }: SignUpOnceDeps,
  request_hash: string,
  work: Work,
): Promise<OpenedSession | undefined> {
  // Without a session there is nothing to seal.
  const seal = isVerificationRequired ? undefined : responseSealer(box);
  return work(async (tx, opened) => {
    const session = (opened && seal?.(JSON.stringify(opened), bindingOf(request_hash))) ?? null;
    const user_id = opened?.account.id ?? null;
    await store(tx, { request_hash, user_id, session, created_at: now().toISOString() });
  });
}

/** Replaces an earlier sign-up whose response is not returned again. */
async function store({ orm }: Tx, row: SignUpKey): Promise<void> {
  const { request_hash: target, ...set } = { ...row, request_hash: signUpKeys.request_hash };
  await orm.insert(signUpKeys).values(row).onConflictDoUpdate({ target, set });
}

function bindingOf(request_hash: string): string {
  return `sign-up ${request_hash}`;
}

/** Deletes stored sign-ups after a day. */
export const createSignUpPurge = ({ db, now }: { db: Db; now(): Date }): Job => ({
  name: 'sign-up keys',
  everyMs: PURGE_EVERY_MS,
  run: () => {
    const until = new Date(now().getTime() - RETENTION_MS).toISOString();
    return runSteps(db, async (tx) => (await deleteOldest(tx, { until })).length > 0);
  },
});

const deleteOldest: Query<{ until: string }, Pick<SignUpKey, 'request_hash'>[]> = prepare((orm) => {
  const { request_hash, created_at } = signUpKeys;
  const oldest = orm
    .select({ request_hash })
    .from(signUpKeys)
    .where(lt(created_at, sql.placeholder('until')))
    .orderBy(asc(created_at))
    .limit(STEP);
  return orm.delete(signUpKeys).where(inArray(request_hash, oldest)).returning({ request_hash });
});
