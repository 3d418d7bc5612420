import { type Actor, type AnyActor, actorFor, type Identified } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import type { User } from '../../models/index.ts';
import type { NewAccount } from '../accounts/new-account.ts';
import { type OwnAccount, ownAccount } from '../accounts/own-account.ts';
import { refuseWeak } from '../accounts/password-policy.ts';
import type { OnSettled } from '../email/sign-up.ts';
import type { OnWritten } from '../idempotency.ts';
import type { AccessTokens } from './access-tokens.ts';
import { type Credentials, type CredentialsDeps, verifyCredentials } from './credentials.ts';
import type { SessionProof, Sessions } from './sessions.ts';

export interface AuthDeps extends CredentialsDeps {
  sessions: Sessions;
  accessTokens: AccessTokens;
  /** See services/sign-up.ts. */
  signUp(actor: AnyActor, account: NewAccount, onSettled?: OnSettled): Promise<void>;
  /** Whether only who has proved the address is signed in. */
  isVerificationRequired: boolean;
}

/** A session that was just opened, with the account that it is of. */
export interface OpenedSession {
  token: string;
  token_type: 'bearer';
  account: OwnAccount;
  /** Sent along with later sign-ins, it keeps strangers' failures from refusing them. */
  device_token: string;
}

/** How a session comes to be opened. */
export interface Opening extends SessionProof {
  /** The token of a session that the new one takes the place of: it ends. */
  replaced?: string | undefined;
}

/** `replaced` is the token of a session that the new one takes the place of: it ends. */
export const createAuth = (deps: AuthDeps) => ({
  /**
   * Creates an account and signs it in, both or neither; undefined where its address must be proved
   * first. `onWritten` runs in the same transaction. Throws weak_password, overloaded and, where
   * nothing need be proved, email_taken, username_taken.
   */
  register: (
    actor: AnyActor,
    account: NewAccount,
    replaced?: string,
    onWritten?: OnWritten<OpenedSession | undefined>,
  ): Promise<OpenedSession | undefined> => register(deps, actor, account, replaced, onWritten),

  /** Signs in by email or username. Throws what `verifyCredentials` does, and email_unverified. */
  login: async (
    actor: AnyActor,
    credentials: Credentials,
    replaced?: string,
  ): Promise<OpenedSession> => {
    const { user, secondFactor } = await verifyCredentials(deps, actor, credentials);
    return admit(deps, actor, user, { secondFactor, replaced });
  },

  /** Opens a session for who has proved itself in another way. Throws email_unverified. */
  open: (actor: AnyActor, user: User, how: Opening = {}): Promise<OpenedSession> =>
    admit(deps, actor, user, how),

  /** Ends the session of the caller. */
  logout: (actor: Actor): Promise<void> => endSession(deps, actor, actor.session?.id ?? 0),

  /** Ends an own session. Throws not_found. */
  endSession: (actor: Actor, id: number): Promise<void> => endSession(deps, actor, id),

  /** Ends all own sessions but the caller's. */
  endOtherSessions: (actor: Actor): Promise<{ ended: number }> => endOtherSessions(deps, actor),

  /** The own sessions, the last used first. */
  listSessions: async ({ id, session }: Actor) => ({
    data: (await deps.sessions.list(id)).map((it) => ({
      ...it,
      is_current: it.id === session?.id,
    })),
  }),

  /** Opens a session for an account that has proved itself, and returns its token. */
  openSession: async (actor: AnyActor, user: User, proof: SessionProof = {}): Promise<string> =>
    (await opened(deps, actor, user, proof)).token,

  /** Whose live token this is; undefined when it is none, or its account is inactive. */
  identify: (token: string): Promise<Identified | undefined> =>
    token.startsWith('hut_') ? deps.accessTokens.identify(token) : deps.sessions.identify(token),
});

async function register(
  deps: AuthDeps,
  actor: AnyActor,
  account: NewAccount,
  replaced?: string,
  onWritten?: OnWritten<OpenedSession | undefined>,
): Promise<OpenedSession | undefined> {
  refuseWeak(account.password, account);
  let session: OpenedSession | undefined;
  await deps.signUp(actor, account, async (tx, user) => {
    session = user && (await openIn(deps, tx, actor, user, { replaced }));
    await onWritten?.(tx, session);
  });
  return session;
}

/** The last gate of every way in: throws email_unverified where verification is required. */
async function admit(deps: AuthDeps, actor: AnyActor, user: User, how: Opening) {
  if (deps.isVerificationRequired) refuseUnverified(user);
  return opened(deps, actor, user, how);
}

/** The operator vouches for admins: they could not get in to set up mail. */
function refuseUnverified({ role, email_verified_at }: User): void {
  if (role === 'admin' || email_verified_at !== null) return;
  throw emailUnverified();
}

export function emailUnverified(): AppError {
  return new AppError('email_unverified', 'Confirm your email address by the link that was sent');
}

function opened(deps: AuthDeps, actor: AnyActor, user: User, how: Opening): Promise<OpenedSession> {
  return deps.db.write((tx) => openIn(deps, tx, actor, user, how));
}

async function openIn(
  { sessions, devices, audit }: AuthDeps,
  tx: Tx,
  { origin }: AnyActor,
  user: User,
  { replaced, ...proof }: Opening,
): Promise<OpenedSession> {
  const owner = actorFor(user, origin);
  if (replaced !== undefined) await sessions.replace(tx, replaced);
  const token = await sessions.open(tx, owner, proof);
  const device_token = await devices.issue(tx, user.id);
  await audit.own(tx, owner, 'session.opened');
  return { token, token_type: 'bearer', account: ownAccount(user), device_token };
}

async function endSession(deps: AuthDeps, actor: Actor, session_id: number) {
  await deps.db.write(async (tx) => {
    if (!(await deps.sessions.end(tx, actor.id, session_id))) {
      throw new AppError('not_found', `Session ${session_id} not found`);
    }
    await deps.audit.own(tx, actor, 'session.ended', { session_id });
  });
}

function endOtherSessions(deps: AuthDeps, actor: Actor) {
  return deps.db.write(async (tx) => {
    const ended = await deps.sessions.endAll(tx, actor.id, actor.session?.id);
    await deps.audit.own(tx, actor, 'sessions.ended', { ended });
    return { ended };
  });
}
