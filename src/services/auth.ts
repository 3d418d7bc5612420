import type { Db } from '../core/db.ts';
import { AppError } from '../core/exceptions.ts';
import type { PasswordHasher } from '../core/security.ts';
import type { Role, User } from '../models/index.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Audit, Via } from './audit.ts';
import type { NewAccount } from './new-account.ts';
import { type OwnAccount, ownAccount } from './own-account.ts';
import { refuseWeak } from './password-policy.ts';
import type { Sessions } from './sessions.ts';
import type { SignInThrottle } from './throttle.ts';
import type { Totps } from './totp.ts';
import type { Users } from './users.ts';

export interface AuthDeps {
  db: Db;
  users: Users;
  sessions: Sessions;
  accessTokens: AccessTokens;
  totps: Totps;
  passwords: PasswordHasher;
  throttle: SignInThrottle;
  audit: Audit;
  /** Makes an account; undefined where only its mail may tell what became of it. */
  signUp(account: NewAccount, via: Via): Promise<User | undefined>;
  /** Whether only who has proved the address is signed in. */
  isVerificationRequired: boolean;
}

/** Who asks, as known for one request: by a session or by a personal access token. */
export interface Identity {
  id: number;
  role: Role;
  session_id?: number;
  token_id?: number;
  /** What a personal access token may do; a session may do all that its account may. */
  scopes?: readonly string[];
}

/** How an account proves itself; `code` is of its authenticator, or a recovery code. */
export interface Credentials {
  login: string;
  password: string;
  code?: string;
}

/** A session that was just opened, with the account that it is of. */
export interface OpenedSession {
  token: string;
  token_type: 'bearer';
  account: OwnAccount;
}

/** `replaced` is the token of a session that the new one takes the place of: it ends. */
export const createAuth = (deps: AuthDeps) => ({
  /**
   * Creates an account and signs it in; undefined where its address must be proved first. Throws
   * weak_password, overloaded and, where nothing need be proved, email_taken, username_taken.
   */
  register: async (account: NewAccount, via: Via, replaced?: string) => {
    refuseWeak(account.password, account);
    const user = await deps.signUp(account, via);
    return user && opened(deps, user, via, replaced);
  },

  /** Signs in by email or username. Throws what `verify` throws, and email_unverified. */
  login: async (credentials: Credentials, via: Via, replaced?: string): Promise<OpenedSession> =>
    admit(deps, await verify(deps, credentials, via), via, replaced),

  /** Opens a session for who has proved itself in another way. Throws email_unverified. */
  open: (user: User, via: Via, replaced?: string): Promise<OpenedSession> =>
    admit(deps, user, via, replaced),

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

  /**
   * The account that the credentials prove. Throws bad_credentials, inactive_user and
   * second_factor_required (both only to who knows the password), too_many_requests and
   * overloaded. An unknown login takes as long as a wrong password.
   */
  verify: (credentials: Credentials, via: Via): Promise<User> => verify(deps, credentials, via),

  /** Opens a session for an account that has proved itself, and gives its token. */
  openSession: (user: User, via: Via): Promise<string> => openSession(deps, user, via),

  /** Whose live token this is; undefined when it is none, or its account is inactive. */
  identify: (token: string): Promise<Identity | undefined> =>
    token.startsWith('hut_') ? deps.accessTokens.identify(token) : deps.sessions.identify(token),
});

/** The last gate of every way in: throws email_unverified where verification is required. */
async function admit(deps: AuthDeps, user: User, via: Via, replaced?: string) {
  if (deps.isVerificationRequired) refuseUnverified(user);
  return opened(deps, user, via, replaced);
}

async function verify(
  { db, users, passwords, totps, throttle, audit }: AuthDeps,
  { login, password, code }: Credentials,
  via: Via,
): Promise<User> {
  const attempt = await throttle.begin(login, via.address);
  const user = await users.findByLogin(login);
  const isRight = await passwords.verify(password, user?.password_hash ?? undefined);
  if (!isRight || !user) {
    // Noted for an unknown account too: a write that only known ones cost would tell them apart.
    const who = { actor_id: null, user_id: user?.id ?? null };
    await db.write((tx) => audit.record(tx, { action: 'session.refused', ...who, via }));
    throw new AppError('bad_credentials', 'Incorrect email or password');
  }
  if (!user.is_active) throw new AppError('inactive_user', 'Inactive user');
  // Before the count is taken back: codes are guessed at no other rate than passwords.
  await totps.require(user.id, code, via);
  await attempt.succeeded();
  if (user.password_hash && passwords.isWeak(user.password_hash)) {
    await users.renewHash(user.id, user.password_hash, password);
  }
  return user;
}

/** The operator vouches for admins: they could not get in to set up mail. */
function refuseUnverified({ role, email_verified_at }: User): void {
  if (role === 'admin' || email_verified_at !== null) return;
  throw emailUnverified();
}

export function emailUnverified(): AppError {
  return new AppError('email_unverified', 'Confirm your email address by the link that was sent');
}

async function opened(
  deps: AuthDeps,
  user: User,
  via: Via,
  replaced?: string,
): Promise<OpenedSession> {
  const token = await openSession(deps, user, via, replaced);
  return { token, token_type: 'bearer', account: ownAccount(user) };
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

function openSession(
  { db, sessions, audit }: AuthDeps,
  user: User,
  via: Via,
  replaced?: string,
): Promise<string> {
  return db.write(async (tx) => {
    if (replaced !== undefined) await sessions.endByToken(tx, replaced);
    const token = await sessions.open(tx, user.id, via);
    const who = { actor_id: user.id, user_id: user.id };
    await audit.record(tx, { action: 'session.opened', ...who, via });
    return token;
  });
}
