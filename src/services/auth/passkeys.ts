import {
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { and, desc, eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Passkey, passkeys, type User } from '../../models/index.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { Notices } from '../mail/notices.ts';
import type { Quotas } from '../quotas.ts';
import type { AuthFlows } from './flows.ts';
import {
  beginSignIn,
  orRefused,
  type PageOrigin,
  type PasskeyAnswer,
  refused,
  verify,
} from './passkey-sign-in.ts';
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
  prove(actor: Actor, password: string): Promise<User>;
  now(): Date;
}

export type PasskeyInfo = Pick<Passkey, 'id' | 'name' | 'created_at' | 'last_used_at'>;

const { id, name, created_at, last_used_at } = passkeys;

/** Passkeys (WebAuthn) of accounts: a second way to sign in, which no page can phish. */
export const createPasskeys = (deps: PasskeysDeps) => ({
  /** Begins to add one; asks for the password. Throws bad_credentials, second_factor_missing. */
  beginAdding: (actor: Actor, password: string, origin: PageOrigin) =>
    beginAdding(deps, actor, password, origin),

  /**
   * Adds what the browser made, which counts as the second factor of the caller's session;
   * `onWritten` runs in the same transaction. Throws invalid_action_token, bad_credentials,
   * second_factor_missing, quota_exceeded.
   */
  add: (
    actor: Actor,
    made: MadePasskey,
    origin: PageOrigin,
    onWritten?: OnWritten<PasskeyInfo>,
  ): Promise<PasskeyInfo> => add(deps, actor, made, origin, onWritten),

  /** Begins to sign in: any passkey of this site may answer. */
  beginSignIn: (origin: PageOrigin) => beginSignIn(deps, origin),

  /**
   * The active account whose passkey answered. Throws invalid_action_token, bad_credentials,
   * inactive_user.
   */
  verify: (answer: PasskeyAnswer, origin: PageOrigin): Promise<User> =>
    verify(deps, answer, origin),

  list: async (actor: Actor): Promise<{ data: PasskeyInfo[] }> => {
    const own = deps.db.read.orm.select({ id, name, created_at, last_used_at }).from(passkeys);
    return { data: await own.where(eq(passkeys.user_id, actor.id)).orderBy(desc(passkeys.id)) };
  },

  /** Removes an own passkey. Throws not_found. */
  remove: (actor: Actor, passkey_id: number): Promise<void> =>
    deps.db.write(async (tx) => {
      const isIt = and(eq(passkeys.id, passkey_id), eq(passkeys.user_id, actor.id));
      const [gone] = await tx.orm.delete(passkeys).where(isIt).returning();
      if (!gone) throw new AppError('not_found', `Passkey ${passkey_id} not found`);
      await forgetLostFactor(tx, actor.id);
      await deps.audit.own(tx, actor, 'passkey.removed', { name: gone.name });
      await deps.notices.send(tx, actor.id, 'passkey.removed');
    }),
});

export interface MadePasskey {
  flow: string;
  name: string;
  response: unknown;
}

async function beginAdding(deps: PasskeysDeps, actor: Actor, password: string, origin: PageOrigin) {
  await refuseUnproved(deps, actor);
  const user = await deps.prove(actor, password);
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
  actor: Actor,
  made: MadePasskey,
  origin: PageOrigin,
  onWritten?: OnWritten<PasskeyInfo>,
): Promise<PasskeyInfo> {
  const { db, flows, audit, notices, quotas, now } = deps;
  await refuseUnproved(deps, actor);
  const flow = await flows.take('passkey_register', made.flow);
  const { registrationInfo } = await orRefused(
    verifyRegistrationResponse({
      response: made.response as RegistrationResponseJSON,
      expectedChallenge: flow.data,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
    }),
  );
  if (!registrationInfo || flow.user_id !== actor.id) throw refused();
  const { credential } = registrationInfo;
  const row = {
    user_id: actor.id,
    credential_id: credential.id,
    public_key: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: JSON.stringify(credential.transports ?? []),
    name: made.name,
    created_at: now().toISOString(),
  };
  return db.write(async (tx) => {
    quotas.requireSpace(actor);
    const isOwn = eq(passkeys.user_id, actor.id);
    quotas.admitOne('passkeys', (await tx.orm.select({ id }).from(passkeys).where(isOwn)).length);
    const [passkey] = await tx.orm.insert(passkeys).values(row).returning();
    await audit.own(tx, actor, 'passkey.added', { name: made.name });
    await noteSecondFactor(tx, actor, now());
    await notices.send(tx, actor.id, 'passkey.added');
    const info = infoOf(passkey as Passkey);
    await onWritten?.(tx, info);
    return info;
  });
}

function infoOf({ id, name, created_at, last_used_at }: Passkey): PasskeyInfo {
  return { id, name, created_at, last_used_at };
}
