import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { prepare, type Query } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type Job, MAX_RUN_MS } from '../../core/jobs/recurring.ts';
import { actionTokens } from '../../models/action-tokens.ts';
import { idempotencyKeys } from '../../models/idempotency.ts';
import { accountRemovals, accountUsage, type User, users } from '../../models/users.ts';
import { timeBudget } from '../../utils/time/time-budget.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { Audit } from '../audit/audit.ts';
import type { AccessChanges } from '../auth/access-changes.ts';
import { endSignInMethods } from '../auth/sign-in-methods.ts';
import type { Resources } from '../resources/index.ts';
import { firstRemoved } from './removed.ts';
import { refuseLastAdmin, updateUser } from './rows.ts';

export interface AccountRemovalDeps {
  db: Db;
  resources: Pick<Resources, 'eraseNextOf' | 'invalidate'>;
  now(): Date;
  audit: Audit;
  accessChanges: AccessChanges;
}

export type AccountRemoval = ReturnType<typeof createAccountRemoval>;

/** Deletes accounts: hides them in one transaction, then erases their rows in small batches. */
export function createAccountRemoval(deps: AccountRemovalDeps) {
  let wake = () => {};
  /** A recurring job: erases the rows of deleted accounts. */
  const job: Job = {
    name: 'account removal',
    everyMs: EVERY_MS,
    run: () => eraseBatch(deps),
    onDue: (listener) => {
      wake = listener;
    },
  };
  return {
    job,

    /**
     * Deletes an account in the caller's transaction: once committed, no one can sign in to it or
     * see it or its rows, and its email and username are free. The job erases its rows. Throws
     * conflict for the last active admin.
     */
    begin: async (tx: Tx, actor: Actor, user: User): Promise<void> => {
      await refuseLastAdmin(tx, user);
      await hide(deps, tx, user.id);
      await deps.audit.record(tx, actor, { action: 'user.deleted', user_id: user.id });
      deps.resources.invalidate(tx);
      tx.afterCommit(() => wake());
    },
  };
}

/** The interval at which interrupted or failed removals continue. */
const EVERY_MS = MINUTE_MS;

/**
 * Clears everything of an account but its id, which its rows refer to. Its keys are in capitals
 * and so equal no email and no username: those are folded to lower case.
 */
async function hide(deps: AccountRemovalDeps, tx: Tx, id: number): Promise<void> {
  const { now } = deps;
  const at = now().toISOString();
  const name = `REMOVED-${id}`;
  await endSignInMethods(deps, tx, id);
  await tx.orm.delete(actionTokens).where(eq(actionTokens.user_id, id));
  const names = { email: name, email_key: name, username: name, username_key: name };
  const rest = { password_hash: null, email_verified_at: null, is_active: false, updated_at: at };
  await updateUser(tx, id, { ...names, ...rest, role: 'user' });
  // Without this row nothing more can be stored for the account.
  await tx.orm.delete(accountUsage).where(eq(accountUsage.user_id, id));
  await tx.orm.insert(accountRemovals).values({ user_id: id, requested_at: at });
}

/** Erases one batch; returns true when more is left. */
async function eraseBatch(deps: AccountRemovalDeps): Promise<boolean> {
  if (!(await firstRemoved(deps.db.read, {}))[0]?.id) return false;
  await deps.db.write(async (tx) => {
    const id = (await firstRemoved(tx, {}))[0]?.id;
    if (!id) return;
    const hasTime = timeBudget(MAX_RUN_MS);
    while (await eraseNext(deps, tx, id)) if (!hasTime()) return;
    // Only a few rows remain, which are deleted with the account.
    await tx.orm.delete(users).where(eq(users.id, id));
  });
  return true;
}

/** Erases one row or, after the last one, some idempotency keys; returns false if none are left. */
async function eraseNext({ resources }: AccountRemovalDeps, tx: Tx, id: number): Promise<boolean> {
  if (await resources.eraseNextOf(tx, id)) return true;
  return (await deleteKeys(tx, { id })).length > 0;
}

/** Keys deleted at once: a stored response has up to 70 KB. */
const KEYS = 20;
const deleteKeys: Query<{ id: number }, { key: string }[]> = prepare((orm) => {
  const { user_id, key } = idempotencyKeys;
  const isOwn = eq(user_id, sql.placeholder('id'));
  const first = orm.select({ key }).from(idempotencyKeys).where(isOwn).limit(KEYS);
  return orm
    .delete(idempotencyKeys)
    .where(and(isOwn, inArray(key, first)))
    .returning({ key });
});
