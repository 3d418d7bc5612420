import { and, count, desc, eq, inArray } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import type { Session } from '../../core/db/db.ts';
import { uniqueViolation } from '../../core/db/storage-error.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Identity, identities } from '../../models/identities.ts';
import { passkeys } from '../../models/passkeys.ts';
import type { User } from '../../models/users.ts';
import { findUser } from '../accounts/rows.ts';
import type { OnWritten } from '../idempotency.ts';
import {
  createIdentityFlows,
  type FormResponse,
  type IdentityFlowsDeps,
  type IdentityRequest,
  type IdentityResponse,
} from './flows.ts';
import { createIdentitySignIn, type IdentitySignInDeps, type SignInContext } from './sign-in.ts';

export interface IdentitiesDeps extends IdentityFlowsDeps, IdentitySignInDeps {
  /** Returns the actor's account. Throws bad_credentials for a wrong password. */
  prove(actor: Actor, password: string): Promise<User>;
}

export type IdentityInfo = Pick<Identity, 'id' | 'provider' | 'email' | 'created_at'>;

const { id, provider, email, created_at } = identities;

/** Identities: accounts at providers that sign in to accounts here. */
export const createIdentities = (deps: IdentitiesDeps) => {
  const { db, audit, notices, providers, prove } = deps;
  const flows = createIdentityFlows(deps);
  const signIn = createIdentitySignIn(deps);
  return {
    /** Lists the configured providers. */
    providers: () => ({
      data: [...providers.values()].map(({ name, title }) => ({ name, title })),
    }),

    /** Starts a sign-in. Throws not_found, upstream_failed. */
    beginSignIn: (request: IdentityRequest) => flows.begin(request, null),

    /**
     * Returns the account of the user, which is created or linked if necessary. Throws the errors of
     * `accountOf`, invalid_action_token, bad_credentials, upstream_failed.
     */
    verify: async (response: IdentityResponse, context: SignInContext): Promise<User> => {
      const { provider, profile } = await flows.finish(response, null);
      return signIn.accountOf({ ...profile, provider: provider.name }, context);
    },

    /** Starts to link an identity. Throws bad_credentials, not_found, upstream_failed. */
    beginLinking: async (actor: Actor, request: IdentityRequest, password: string) => {
      const { id } = await prove(actor, password);
      return flows.begin(request, id);
    },

    /**
     * Links an identity to the actor's account; `onWritten` runs in the same transaction. Throws
     * conflict, quota_exceeded, invalid_action_token, bad_credentials, upstream_failed.
     */
    link: async (
      actor: Actor,
      response: IdentityResponse,
      onWritten?: OnWritten<IdentityInfo>,
    ): Promise<IdentityInfo> => {
      const { provider, profile } = await flows.finish(response, actor.id);
      const identity = { ...profile, provider: provider.name };
      try {
        return await db.write(async (tx) => {
          const info = infoOf(await signIn.link(tx, actor, identity));
          await notices.send(tx, actor.id, 'identity.linked');
          await onWritten?.(tx, info);
          return info;
        });
      } catch (error) {
        if (!uniqueViolation(error)?.startsWith('identities.')) throw error;
        throw new AppError('conflict', `That ${provider.title} account is already linked`);
      }
    },

    /** Returns the page that a posted form leads back to. Throws invalid_action_token. */
    returnUrl: (response: FormResponse): Promise<string> => flows.returnUrl(response),

    /** Lists the identities of the actor, newest first. */
    list: async (actor: Actor): Promise<{ data: IdentityInfo[] }> => {
      const own = db.read.orm.select({ id, provider, email, created_at }).from(identities);
      const isOwn = eq(identities.user_id, actor.id);
      return { data: await own.where(isOwn).orderBy(desc(identities.id)) };
    },

    /** Unlinks an identity of the actor. Throws not_found, and conflict for the last sign-in method. */
    unlink: (actor: Actor, identity_id: number): Promise<void> =>
      db.write(async (tx) => {
        const isOwn = and(eq(identities.id, identity_id), eq(identities.user_id, actor.id));
        const [removed] = await tx.orm.delete(identities).where(isOwn).returning();
        if (!removed) throw new AppError('not_found', `Identity ${identity_id} not found`);
        if (!(await hasAnotherWayIn(tx, actor.id, [...providers.keys()]))) {
          const message = 'It is the only way to sign in to the account: set a password first';
          throw new AppError('conflict', message);
        }
        await audit.own(tx, actor, 'identity.unlinked', { provider: removed.provider });
        await notices.send(tx, actor.id, 'identity.unlinked');
      }),
  };
};

/** Identities of providers that are no longer configured do not count. */
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
