import { asc, eq, inArray, lt, sql } from 'drizzle-orm';
import type { AnyActor } from '../../core/actor.ts';
import { createClaims } from '../../core/claims.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, type ErrorCode } from '../../core/exceptions.ts';
import type { SecretBox } from '../../core/security/secret-box.ts';
import { type SignUpKey, signUpKeys } from '../../models/index.ts';
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
import { type Job, runSteps } from '../jobs.ts';

/** Keys deleted in one statement. */
const STEP = 100;

export interface SignUpOnceDeps extends CredentialsDeps {
  box: SecretBox;
  isVerificationRequired: boolean;
  now(): Date;
}

/** A sign-up that may come again, with what proves whose account it was then. */
export interface KeyedSignUp extends Credentials {
  /** Of the key and the body without its password; see `SignUpKey`. Without a key nothing is stored. */
  request_hash: string | undefined;
}

export interface SignUpResult {
  /** Undefined where the address must be proved first. */
  opened: OpenedSession | undefined;
  isReplayed: boolean;
}

type Work = (
  onWritten?: OnWritten<OpenedSession | undefined>,
) => Promise<OpenedSession | undefined>;

const keptSignUp = prepare<Pick<SignUpKey, 'request_hash'>, SignUpKey[]>((orm) =>
  orm
    .select()
    .from(signUpKeys)
    .where(eq(signUpKeys.request_hash, sql.placeholder('request_hash'))),
);

/** Sees to it that a sign-up which is sent twice creates one account and one session. */
export const createSignUpOnce = (deps: SignUpOnceDeps, claims = createClaims()) => ({
  /**
   * The result of an earlier sign-up with this hash, or else that of `work`, which must call
   * `onWritten` in the transaction of its write. A session is shown again only to whoever gives the
   * password of its account; for anyone else the request is a new one, and finds the address
   * taken. Throws idempotency_running, secrets_unreadable, too_many_requests and what `work` throws.
   */
  run: async (actor: AnyActor, request: KeyedSignUp, work: Work): Promise<SignUpResult> => {
    const { request_hash } = request;
    if (request_hash === undefined) return { opened: await work(), isReplayed: false };
    if (!(await claims.claim(request_hash))) throw stillRunning();
    try {
      const [kept] = await keptSignUp(deps.db.read, { request_hash });
      if (kept && (await isOwn(deps, actor, kept, request))) {
        return { opened: await openKept(deps, kept), isReplayed: true };
      }
      return { opened: await workAndKeep(deps, request_hash, work), isReplayed: false };
    } finally {
      await claims.release(request_hash);
    }
  },
});

/** What makes a stored session one that is not shown again. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'bad_credentials',
  'inactive_user',
  'second_factor_required',
]);

/** Without a session the response shows nothing. */
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

async function openKept(
  { box }: SignUpOnceDeps,
  { session, request_hash }: SignUpKey,
): Promise<OpenedSession | undefined> {
  if (session === null) return undefined;
  return JSON.parse(await openResponse(box, session, bindingOf(request_hash)));
}

async function workAndKeep(
  { box, isVerificationRequired, now }: SignUpOnceDeps,
  request_hash: string,
  work: Work,
): Promise<OpenedSession | undefined> {
  // Where no session will be opened no key is needed.
  const seal = isVerificationRequired ? undefined : responseSealer(box);
  return work(async (tx, opened) => {
    const session = (opened && seal?.(JSON.stringify(opened), bindingOf(request_hash))) ?? null;
    const user_id = opened?.account.id ?? null;
    await keep(tx, { request_hash, user_id, session, created_at: now().toISOString() });
  });
}

/** Takes the place of an earlier sign-up whose response is not shown again. */
async function keep({ orm }: Tx, row: SignUpKey): Promise<void> {
  const { request_hash: target, ...set } = { ...row, request_hash: signUpKeys.request_hash };
  await orm.insert(signUpKeys).values(row).onConflictDoUpdate({ target, set });
}

function bindingOf(request_hash: string): string {
  return `sign-up ${request_hash}`;
}

/** Forgets sign-ups after a day. */
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
