import { and, count, desc, eq, inArray } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Identity, identities, passkeys, type User } from '../../models/index.ts';
import { findUser } from '../accounts/users.ts';
import type { OnWritten } from '../idempotency.ts';
import {
  beginOutside,
  type FormAnswer,
  finishOutside,
  type IdentityFlowsDeps,
  type OutsideAnswer,
  returnUrl,
  type Wish,
} from './flows.ts';
import { accountOf, type IdentitySignInDeps, link, type SignInContext } from './sign-in.ts';

export interface IdentitiesDeps extends IdentityFlowsDeps, IdentitySignInDeps {
  /** The account of the caller; throws bad_credentials when the password is not its. */
  prove(actor: Actor, password: string): Promise<User>;
}

export type IdentityInfo = Pick<Identity, 'id' | 'provider' | 'email' | 'created_at'>;

const { id, provider, email, created_at } = identities;

/** Accounts at outside providers, by which one signs in here. */
export const createIdentities = (deps: IdentitiesDeps) => ({
  /** The providers that are set up. */
  providers: () => ({
    data: [...deps.providers.values()].map(({ name, title }) => ({ name, title })),
  }),

  /** Begins to sign in. Throws not_found, upstream_failed. */
  beginSignIn: (wish: Wish) => beginOutside(deps, wish, null),

  /**
   * The account of who came back; it is made or linked if need be. Throws what `accountOf` does,
   * invalid_action_token, bad_credentials, upstream_failed.
   */
  verify: async (answer: OutsideAnswer, context: SignInContext): Promise<User> => {
    const { provider, profile } = await finishOutside(deps, answer, null);
    return accountOf(deps, { ...profile, provider: provider.name }, context);
  },

  /** Begins to link one; asks for the password. Throws bad_credentials and as `beginSignIn`. */
  beginLinking: async (actor: Actor, wish: Wish, password: string) => {
    const { id } = await deps.prove(actor, password);
    return beginOutside(deps, wish, id);
  },

  /**
   * Links who came back; `onWritten` runs in the same transaction. Throws conflict, quota_exceeded,
   * invalid_action_token, bad_credentials, upstream_failed.
   */
  link: (
    actor: Actor,
    answer: OutsideAnswer,
    onWritten?: OnWritten<IdentityInfo>,
  ): Promise<IdentityInfo> => linkOwn(deps, actor, answer, onWritten),

  /** Where the browser goes on with an answer that came as a form. Throws invalid_action_token. */
  returnUrl: (answer: FormAnswer): Promise<string> => returnUrl(deps, answer),

  list: async (actor: Actor): Promise<{ data: IdentityInfo[] }> => {
    const own = deps.db.read.orm.select({ id, provider, email, created_at }).from(identities);
    const isOwn = eq(identities.user_id, actor.id);
    return { data: await own.where(isOwn).orderBy(desc(identities.id)) };
  },

  /** Unlinks an own one. Throws not_found, and conflict for the last way in. */
  unlink: (actor: Actor, identity_id: number): Promise<void> => unlink(deps, actor, identity_id),
});

async function linkOwn(
  deps: IdentitiesDeps,
  actor: Actor,
  answer: OutsideAnswer,
  onWritten?: OnWritten<IdentityInfo>,
): Promise<IdentityInfo> {
  const { provider, profile } = await finishOutside(deps, answer, actor.id);
  const outsider = { ...profile, provider: provider.name };
  try {
    return await deps.db.write(async (tx) => {
      const info = infoOf(await link(deps, tx, actor, outsider));
      await deps.notices.send(tx, actor.id, 'identity.linked');
      await onWritten?.(tx, info);
      return info;
    });
  } catch (error) {
    if (!uniqueViolation(error)?.startsWith('identities.')) throw error;
    throw new AppError('conflict', `That account of ${provider.title} is linked already`);
  }
}

async function unlink(
  { db, audit, notices, providers }: IdentitiesDeps,
  actor: Actor,
  identity_id: number,
): Promise<void> {
  await db.write(async (tx) => {
    const isIt = and(eq(identities.id, identity_id), eq(identities.user_id, actor.id));
    const [gone] = await tx.orm.delete(identities).where(isIt).returning();
    if (!gone) throw new AppError('not_found', `Identity ${identity_id} not found`);
    if (!(await hasAnotherWayIn(tx, actor.id, [...providers.keys()]))) {
      throw new AppError('conflict', 'It is the last way into the account: set a password first');
    }
    await audit.own(tx, actor, 'identity.unlinked', { provider: gone.provider });
    await notices.send(tx, actor.id, 'identity.unlinked');
  });
}

/** What a provider that is set up no more has linked is none. */
async function hasAnotherWayIn(session: Session, user_id: number, names: string[]) {
  const { orm } = session;
  if ((await findUser(session, user_id))?.password_hash) return true;
  const isOwnKey = eq(passkeys.user_id, user_id);
  const isOther = and(eq(identities.user_id, user_id), inArray(identities.provider, names));
  const [keys] = await orm.select({ of: count() }).from(passkeys).where(isOwnKey);
  const [others] = await orm.select({ of: count() }).from(identities).where(isOther);
  return (keys?.of ?? 0) + (others?.of ?? 0) > 0;
}

function infoOf({ id, provider, email, created_at }: Identity): IdentityInfo {
  return { id, provider, email, created_at };
}
