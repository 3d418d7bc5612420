import { AppError } from '../core/exceptions.ts';
import type { Tx } from '../core/writer.ts';
import type { Role, User } from '../models/index.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Via } from './audit.ts';
import { type Credentials, type CredentialsDeps, verifyCredentials } from './credentials.ts';
import type { OnWritten } from './idempotency.ts';
import type { NewAccount } from './new-account.ts';
import { type OwnAccount, ownAccount } from './own-account.ts';
import { refuseWeak } from './password-policy.ts';
import type { SessionProof, Sessions } from './sessions.ts';
import type { OnSettled } from './sign-up.ts';

export interface AuthDeps extends CredentialsDeps {
  sessions: Sessions;
  accessTokens: AccessTokens;
  /** See services/sign-up.ts. */
  signUp(account: NewAccount, via: Via, onSettled?: OnSettled): Promise<void>;
  /** Whether only who has proved the address is signed in. */
  isVerificationRequired: boolean;
}

/** Who asks, as known for one request: by a session or by a personal access token. */
export interface Identity {
  id: number;
  role: Role;
  session_id?: number;
  /** When the session last proved a second factor; null if it never did. */
  second_factor_at?: string | null;
  token_id?: number;
  /** What a personal access token may do; a session may do all that its account may. */
  scopes?: readonly string[];
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
    account: NewAccount,
    via: Via,
    replaced?: string,
    onWritten?: OnWritten<OpenedSession | undefined>,
  ): Promise<OpenedSession | undefined> => register(deps, account, via, replaced, onWritten),

  /** Signs in by email or username. Throws what `verifyCredentials` does, and email_unverified. */
  login: async (credentials: Credentials, via: Via, replaced?: string): Promise<OpenedSession> => {
    const { user, secondFactor } = await verifyCredentials(deps, credentials, via);
    return admit(deps, user, via, { secondFactor, replaced });
  },

  /** Opens a session for who has proved itself in another way. Throws email_unverified. */
  open: (user: User, via: Via, how: Opening = {}): Promise<OpenedSession> =>
    admit(deps, user, via, how),

  /** Ends the session of the caller. */
  logout: (caller: Identity, via: Via): Promise<void> =>
    endSession(deps, caller, caller.session_id ?? 0, via),

  /** Ends an own session. Throws not_found. */
  endSession: (caller: Identity, id: number, via: Via): Promise<void> =>
    endSession(deps, caller, id, via),

  /** Ends all own sessions but the caller's. */
  endOtherSessions: (caller: Identity, via: Via): Promise<{ ended: number }> =>
    endOtherSessions(deps, caller, via),

  /** The own sessions, the last used first. */
  listSessions: async ({ id, session_id }: Identity) => ({
    data: (await deps.sessions.list(id)).map((it) => ({ ...it, is_current: it.id === session_id })),
  }),

  /** Opens a session for an account that has proved itself, and returns its token. */
  openSession: async (user: User, via: Via, proof: SessionProof = {}): Promise<string> =>
    (await opened(deps, user, via, proof)).token,

  /** Whose live token this is; undefined when it is none, or its account is inactive. */
  identify: (token: string): Promise<Identity | undefined> =>
    token.startsWith('hut_') ? deps.accessTokens.identify(token) : deps.sessions.identify(token),
});

async function register(
  deps: AuthDeps,
  account: NewAccount,
  via: Via,
  replaced?: string,
  onWritten?: OnWritten<OpenedSession | undefined>,
): Promise<OpenedSession | undefined> {
  refuseWeak(account.password, account);
  let session: OpenedSession | undefined;
  await deps.signUp(account, via, async (tx, user) => {
    session = user && (await openIn(deps, tx, user, via, { replaced }));
    await onWritten?.(tx, session);
  });
  return session;
}

/** The last gate of every way in: throws email_unverified where verification is required. */
async function admit(deps: AuthDeps, user: User, via: Via, how: Opening) {
  if (deps.isVerificationRequired) refuseUnverified(user);
  return opened(deps, user, via, how);
}

/** The operator vouches for admins: they could not get in to set up mail. */
function refuseUnverified({ role, email_verified_at }: User): void {
  if (role === 'admin' || email_verified_at !== null) return;
  throw emailUnverified();
}

export function emailUnverified(): AppError {
  return new AppError('email_unverified', 'Confirm your email address by the link that was sent');
}

function opened(deps: AuthDeps, user: User, via: Via, how: Opening): Promise<OpenedSession> {
  return deps.db.write((tx) => openIn(deps, tx, user, via, how));
}

async function openIn(
  { sessions, devices, audit }: AuthDeps,
  tx: Tx,
  user: User,
  via: Via,
  { replaced, ...proof }: Opening,
): Promise<OpenedSession> {
  if (replaced !== undefined) await sessions.replace(tx, replaced);
  const token = await sessions.open(tx, user.id, via, proof);
  const device_token = await devices.issue(tx, user.id);
  const who = { actor_id: user.id, user_id: user.id };
  await audit.record(tx, { action: 'session.opened', ...who, via });
  return { token, token_type: 'bearer', account: ownAccount(user), device_token };
}

async function endSession(deps: AuthDeps, { id }: Identity, session_id: number, via: Via) {
  await deps.db.write(async (tx) => {
    if (!(await deps.sessions.end(tx, id, session_id))) {
      throw new AppError('not_found', `Session ${session_id} not found`);
    }
    const who = { actor_id: id, user_id: id };
    await deps.audit.record(tx, { action: 'session.ended', ...who, via, details: { session_id } });
  });
}

function endOtherSessions(deps: AuthDeps, { id, session_id }: Identity, via: Via) {
  return deps.db.write(async (tx) => {
    const ended = await deps.sessions.endAll(tx, id, session_id);
    const who = { actor_id: id, user_id: id };
    await deps.audit.record(tx, { action: 'sessions.ended', ...who, via, details: { ended } });
    return { ended };
  });
}
