import { type Actor, type AnyActor, actorFor, type Identified } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { User } from '../../models/users.ts';
import { type OwnAccount, ownAccount } from '../accounts/account.ts';
import { refuseWeak } from '../accounts/password.ts';
import type { NewAccount } from '../accounts/rows.ts';
import type { SignUp } from '../email/sign-up.ts';
import type { OnWritten } from '../idempotency.ts';
import { type AccessTokens, TOKEN_PREFIX } from './access-tokens.ts';
import { type Credentials, type CredentialsDeps, verifyCredentials } from './credentials.ts';
import type { SessionInfo, SessionProof, Sessions } from './sessions.ts';

export interface AuthDeps extends CredentialsDeps {
  sessions: Sessions;
  accessTokens: AccessTokens;
  signUp: Pick<SignUp, 'create'>;
  /** True if only accounts with a confirmed address can sign in. */
  isVerificationRequired: boolean;
}

/** A new session with its account. */
export interface OpenedSession {
  token: string;
  token_type: 'bearer';
  account: OwnAccount;
  /** Sent with later sign-ins, it exempts them from the failures of strangers. */
  device_token: string;
}

export interface SessionOptions extends SessionProof {
  /** The token of a session that the new one replaces: it ends. */
  replaced?: string | undefined;
}

/** Sign-up, sign-in and the sessions of an account. */
export const createAuth = (deps: AuthDeps) => {
  const { db, sessions, accessTokens, devices, audit, signUp, isVerificationRequired } = deps;

  const openIn = async (
    tx: Tx,
    { origin }: AnyActor,
    user: User,
    { replaced, ...proof }: SessionOptions,
  ): Promise<OpenedSession> => {
    const owner = actorFor(user, origin);
    if (replaced !== undefined) await sessions.replace(tx, replaced);
    const token = await sessions.open(tx, owner, proof);
    const device_token = await devices.issue(tx, user.id);
    await audit.own(tx, owner, 'session.opened');
    return { token, token_type: 'bearer', account: ownAccount(user), device_token };
  };

  /**
   * Opens a session for an account that the caller has already authenticated. Every sign-in ends
   * here. Throws email_unverified.
   */
  const open = async (
    actor: AnyActor,
    user: User,
    options: SessionOptions = {},
  ): Promise<OpenedSession> => {
    if (isVerificationRequired) requireVerified(user);
    return db.write((tx) => openIn(tx, actor, user, options));
  };

  /** Ends a session of the actor. Throws not_found. */
  const endSession = (actor: Actor, session_id: number): Promise<void> =>
    db.write(async (tx) => {
      if (!(await sessions.end(tx, actor.id, session_id))) {
        throw new AppError('not_found', `Session ${session_id} not found`);
      }
      await audit.own(tx, actor, 'session.ended', { session_id });
    });

  return {
    open,
    endSession,

    /**
     * Creates an account and signs it in, both or neither; returns undefined if its address must be
     * confirmed first. `onWritten` runs in the same transaction. Throws weak_password, overloaded
     * and, where no confirmation is required, email_taken and username_taken.
     */
    register: async (
      actor: AnyActor,
      account: NewAccount,
      replaced?: string,
      onWritten?: OnWritten<OpenedSession | undefined>,
    ): Promise<OpenedSession | undefined> => {
      refuseWeak(account.password, account);
      let session: OpenedSession | undefined;
      await signUp.create(actor, account, async (tx, user) => {
        session = user && (await openIn(tx, actor, user, { replaced }));
        await onWritten?.(tx, session);
      });
      return session;
    },

    /** Signs in by email or username. Throws the errors of `verifyCredentials` and `open`. */
    login: async (
      actor: AnyActor,
      credentials: Credentials,
      replaced?: string,
    ): Promise<OpenedSession> => {
      const { user, secondFactor } = await verifyCredentials(deps, actor, credentials);
      return open(actor, user, { secondFactor, replaced });
    },

    /** Ends the session of the actor. */
    logout: (actor: Actor): Promise<void> => endSession(actor, actor.session?.id ?? 0),

    /** Ends all sessions of the actor except the current one. */
    endOtherSessions: (actor: Actor): Promise<{ ended: number }> =>
      db.write(async (tx) => {
        const ended = await sessions.endAll(tx, actor.id, actor.session?.id);
        await audit.own(tx, actor, 'sessions.ended', { ended });
        return { ended };
      }),

    /** Lists the sessions of the actor, last used first. */
    listSessions: async ({
      id,
      session,
    }: Actor): Promise<{ data: (SessionInfo & { is_current: boolean })[] }> => {
      const own = await sessions.list(id);
      return { data: own.map((it) => ({ ...it, is_current: it.id === session?.id })) };
    },

    /** Returns the active owner of a live session or access token, or undefined. */
    identify: (token: string): Promise<Identified | undefined> =>
      token.startsWith(TOKEN_PREFIX) ? accessTokens.identify(token) : sessions.identify(token),
  };
};

/** Admins are exempt: the operator created them, and they must be able to set up mail. */
function requireVerified({ role, email_verified_at }: User): void {
  if (role === 'admin' || email_verified_at !== null) return;
  throw emailUnverified();
}

export function emailUnverified(): AppError {
  return new AppError('email_unverified', 'Confirm your email address with the link in the mail');
}
