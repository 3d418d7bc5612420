import {
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { and, desc, eq } from 'drizzle-orm';
import { AppError } from '../core/exceptions.ts';
import { type Passkey, passkeys, type User } from '../models/index.ts';
import type { Audit, Via } from './audit.ts';
import type { Identity } from './auth.ts';
import type { AuthFlows } from './auth-flows.ts';
import type { OnWritten } from './idempotency.ts';
import type { Notices } from './notices.ts';
import {
  beginSignIn,
  type Origin,
  orRefused,
  type PasskeyAnswer,
  refused,
  verify,
} from './passkey-sign-in.ts';
import type { Quotas } from './quotas.ts';
import {
  type AdminFactorDeps,
  forgetLostFactor,
  noteSecondFactor,
  refuseUnproved,
} from './second-factor.ts';

export interface PasskeysDeps extends AdminFactorDeps {
  flows: AuthFlows;
  audit: Audit;
  notices: Notices;
  /** `appName` is what browsers show. */
  config: { appName: string };
  quotas: Quotas;
  /** The account of the caller; throws bad_credentials when the password is not its. */
  prove(caller: Identity, password: string): Promise<User>;
  now(): Date;
}

export type PasskeyInfo = Pick<Passkey, 'id' | 'name' | 'created_at' | 'last_used_at'>;

const { id, name, created_at, last_used_at } = passkeys;

/** Passkeys (WebAuthn) of accounts: a second way to sign in, which no page can phish. */
export const createPasskeys = (deps: PasskeysDeps) => ({
  /** Begins to add one; asks for the password. Throws bad_credentials, second_factor_missing. */
  beginAdding: (caller: Identity, password: string, origin: Origin) =>
    beginAdding(deps, caller, password, origin),

  /**
   * Adds what the browser made, which counts as the second factor of the caller's session;
   * `onWritten` runs in the same transaction. Throws invalid_action_token, bad_credentials,
   * second_factor_missing, quota_exceeded.
   */
  add: (
    caller: Identity,
    made: MadePasskey,
    context: AddContext,
    onWritten?: OnWritten<PasskeyInfo>,
  ): Promise<PasskeyInfo> => add(deps, caller, made, context, onWritten),

  /** Begins to sign in: any passkey of this site may answer. */
  beginSignIn: (origin: Origin) => beginSignIn(deps, origin),

  /**
   * The active account whose passkey answered. Throws invalid_action_token, bad_credentials,
   * inactive_user.
   */
  verify: (answer: PasskeyAnswer, origin: Origin): Promise<User> => verify(deps, answer, origin),

  list: async (caller: Identity): Promise<{ data: PasskeyInfo[] }> => {
    const own = deps.db.read.orm.select({ id, name, created_at, last_used_at }).from(passkeys);
    return { data: await own.where(eq(passkeys.user_id, caller.id)).orderBy(desc(passkeys.id)) };
  },

  /** Removes an own passkey. Throws not_found. */
  remove: (caller: Identity, passkey_id: number, via: Via): Promise<void> =>
    deps.db.write(async (tx) => {
      const isIt = and(eq(passkeys.id, passkey_id), eq(passkeys.user_id, caller.id));
      const [gone] = await tx.orm.delete(passkeys).where(isIt).returning();
      if (!gone) throw new AppError('not_found', `Passkey ${passkey_id} not found`);
      const who = { actor_id: caller.id, user_id: caller.id, details: { name: gone.name } };
      await forgetLostFactor(tx, caller.id);
      await deps.audit.record(tx, { action: 'passkey.removed', ...who, via });
      await deps.notices.send(tx, caller.id, 'passkey.removed');
    }),
});

export interface MadePasskey {
  flow: string;
  name: string;
  response: unknown;
}

/** What the route adds. */
export interface AddContext {
  origin: Origin;
  via: Via;
}

async function beginAdding(deps: PasskeysDeps, caller: Identity, password: string, origin: Origin) {
  await refuseUnproved(deps, caller);
  const user = await deps.prove(caller, password);
  const known = deps.db.read.orm.select().from(passkeys).where(eq(passkeys.user_id, user.id));
  const options = await generateRegistrationOptions({
    rpName: deps.config.appName,
    rpID: new URL(origin).hostname,
    userName: user.username,
    userID: new TextEncoder().encode(String(user.id)),
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    excludeCredentials: (await known).map((it) => ({ id: it.credential_id })),
  });
  const flow = await deps.flows.begin('passkey_register', user.id, options.challenge);
  return { flow, options };
}

async function add(
  deps: PasskeysDeps,
  caller: Identity,
  made: MadePasskey,
  { origin, via }: AddContext,
  onWritten?: OnWritten<PasskeyInfo>,
): Promise<PasskeyInfo> {
  const { db, flows, audit, notices, quotas, now } = deps;
  await refuseUnproved(deps, caller);
  const flow = await flows.take('passkey_register', made.flow);
  const { registrationInfo } = await orRefused(
    verifyRegistrationResponse({
      response: made.response as RegistrationResponseJSON,
      expectedChallenge: flow.data,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
    }),
  );
  if (!registrationInfo || flow.user_id !== caller.id) throw refused();
  const { credential } = registrationInfo;
  const row = {
    user_id: caller.id,
    credential_id: credential.id,
    public_key: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: JSON.stringify(credential.transports ?? []),
    name: made.name,
    created_at: now().toISOString(),
  };
  return db.write(async (tx) => {
    quotas.requireSpace(caller);
    const isOwn = eq(passkeys.user_id, caller.id);
    quotas.admitOne('passkeys', (await tx.orm.select({ id }).from(passkeys).where(isOwn)).length);
    const [passkey] = await tx.orm.insert(passkeys).values(row).returning();
    const who = { actor_id: caller.id, user_id: caller.id, details: { name: made.name } };
    await audit.record(tx, { action: 'passkey.added', ...who, via });
    await noteSecondFactor(tx, caller, now());
    await notices.send(tx, caller.id, 'passkey.added');
    const info = infoOf(passkey as Passkey);
    await onWritten?.(tx, info);
    return info;
  });
}

function infoOf({ id, name, created_at, last_used_at }: Passkey): PasskeyInfo {
  return { id, name, created_at, last_used_at };
}
