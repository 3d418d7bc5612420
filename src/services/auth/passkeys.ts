import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { and, count, desc, eq } from 'drizzle-orm';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/exceptions.ts';
import { type Passkey, passkeys } from '../../models/passkeys.ts';
import { type User, users } from '../../models/users.ts';
import type { Audit } from '../audit/audit.ts';
import type { OnWritten } from '../idempotency.ts';
import type { Notices } from '../mail/notices.ts';
import type { Quotas } from '../quotas.ts';
import type { AuthFlows } from './flows.ts';
import {
  type AdminFactorDeps,
  clearLostFactor,
  recordSecondFactor,
  requireSecondFactor,
} from './second-factor.ts';

export interface PasskeysDeps extends AdminFactorDeps {
  flows: AuthFlows;
  audit: Audit;
  notices: Notices;
  /** `appName` is shown by browsers. */
  config: { appName: string };
  quotas: Quotas;
  /** Returns the actor's account. Throws bad_credentials for a wrong password. */
  prove(actor: Actor, password: string): Promise<User>;
  now(): Date;
}

/** The origin of the page in the browser, such as `https://app.example.com`. */
type PageOrigin = string;

/** The response of a browser to the options of a sign-in; `flow` is one of the options. */
export interface PasskeyAssertion {
  flow: string;
  response: unknown;
}

/** A passkey as created by a browser. */
export interface NewPasskey extends PasskeyAssertion {
  name: string;
}

export type PasskeyInfo = Pick<Passkey, 'id' | 'name' | 'created_at' | 'last_used_at'>;

const { id, name, created_at, last_used_at } = passkeys;

/** Passkeys (WebAuthn) of accounts: a second way to sign in, safe from phishing. */
export const createPasskeys = (deps: PasskeysDeps) => {
  const { db, flows, audit, notices, config, quotas, prove, now } = deps;
  return {
    /** Starts to add a passkey. Throws bad_credentials, second_factor_missing. */
    beginAdding: async (actor: Actor, password: string, origin: PageOrigin) => {
      await requireSecondFactor(deps, actor);
      const user = await prove(actor, password);
      const existing = db.read.orm.select().from(passkeys).where(eq(passkeys.user_id, user.id));
      const options = await generateRegistrationOptions({
        rpName: config.appName,
        rpID: new URL(origin).hostname,
        userName: user.username,
        userID: new TextEncoder().encode(String(user.id)),
        attestationType: 'none',
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        excludeCredentials: (await existing).map((it) => ({ id: it.credential_id })),
      });
      return { flow: await flows.begin('passkey_register', user.id, options.challenge), options };
    },

    /**
     * Adds a passkey, which also proves the second factor of the caller's session. `onWritten` runs
     * in the same transaction. Throws invalid_action_token, bad_credentials, second_factor_missing,
     * quota_exceeded.
     */
    add: async (
      actor: Actor,
      passkey: NewPasskey,
      origin: PageOrigin,
      onWritten?: OnWritten<PasskeyInfo>,
    ): Promise<PasskeyInfo> => {
      await requireSecondFactor(deps, actor);
      const flow = await flows.take('passkey_register', passkey.flow);
      const credential = await verifyNew(passkey, flow.data, origin);
      if (flow.user_id !== actor.id) throw refused();
      const row = {
        ...{ user_id: actor.id, name: passkey.name, created_at: now().toISOString() },
        credential_id: credential.id,
        public_key: Buffer.from(credential.publicKey),
        counter: credential.counter,
        transports: JSON.stringify(credential.transports ?? []),
      };
      return db.write(async (tx) => {
        quotas.requireSpace(actor);
        const isOwn = eq(passkeys.user_id, actor.id);
        const [own] = await tx.orm.select({ of: count() }).from(passkeys).where(isOwn);
        quotas.admitOne('passkeys', own?.of ?? 0);
        const [added] = await tx.orm.insert(passkeys).values(row).returning();
        await audit.own(tx, actor, 'passkey.added', { name: passkey.name });
        await recordSecondFactor(tx, actor, now());
        await notices.send(tx, actor.id, 'passkey.added');
        const info = infoOf(added as Passkey);
        await onWritten?.(tx, info);
        return info;
      });
    },

    /** Starts a sign-in with any passkey of this site. */
    beginSignIn: async (origin: PageOrigin) => {
      const rpID = new URL(origin).hostname;
      const options = await generateAuthenticationOptions({ rpID, userVerification: 'required' });
      return { flow: await flows.begin('passkey_login', null, options.challenge), options };
    },

    /**
     * Returns the active account that the passkey belongs to. Throws invalid_action_token,
     * bad_credentials, inactive_user.
     */
    verify: async (assertion: PasskeyAssertion, origin: PageOrigin): Promise<User> => {
      const { data: challenge } = await flows.take('passkey_login', assertion.flow);
      const response = assertion.response as AuthenticationResponseJSON;
      const isSame = eq(passkeys.credential_id, String(response.id));
      const [passkey] = await db.read.orm.select().from(passkeys).where(isSame);
      if (!passkey) throw refused();
      const counter = await verifyKnown(passkey, response, challenge, origin);
      const set = { counter, last_used_at: now().toISOString() };
      return db.write(async ({ orm }) => {
        await orm.update(passkeys).set(set).where(eq(passkeys.id, passkey.id));
        const [user] = await orm.select().from(users).where(eq(users.id, passkey.user_id));
        if (!user?.is_active) throw new AppError('inactive_user', 'Inactive user');
        return user;
      });
    },

    /** Lists the passkeys of the actor, newest first. */
    list: async (actor: Actor): Promise<{ data: PasskeyInfo[] }> => {
      const own = db.read.orm.select({ id, name, created_at, last_used_at }).from(passkeys);
      return { data: await own.where(eq(passkeys.user_id, actor.id)).orderBy(desc(passkeys.id)) };
    },

    /** Removes a passkey of the actor. Throws not_found. */
    remove: (actor: Actor, passkey_id: number): Promise<void> =>
      db.write(async (tx) => {
        const isOwn = and(eq(passkeys.id, passkey_id), eq(passkeys.user_id, actor.id));
        const [removed] = await tx.orm.delete(passkeys).where(isOwn).returning();
        if (!removed) throw new AppError('not_found', `Passkey ${passkey_id} not found`);
        await clearLostFactor(tx, actor.id);
        await audit.own(tx, actor, 'passkey.removed', { name: removed.name });
        await notices.send(tx, actor.id, 'passkey.removed');
      }),
  };
};

async function verifyNew({ response }: NewPasskey, challenge: string, origin: PageOrigin) {
  const { registrationInfo } = await orRefused(
    verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
    }),
  );
  if (!registrationInfo) throw refused();
  return registrationInfo.credential;
}

/** Returns the new signature counter. */
async function verifyKnown(
  { credential_id, public_key, counter }: Passkey,
  response: AuthenticationResponseJSON,
  challenge: string,
  origin: PageOrigin,
): Promise<number> {
  const { verified, authenticationInfo } = await orRefused(
    verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
      credential: { id: credential_id, publicKey: new Uint8Array(public_key), counter },
    }),
  );
  if (!verified) throw refused();
  return authenticationInfo.newCounter;
}

/** The library throws for anything that does not match; clients do not learn the reason. */
async function orRefused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refused(error);
  }
}

function refused(cause?: unknown): AppError {
  return new AppError('bad_credentials', 'The passkey was refused', { cause });
}

function infoOf({ id, name, created_at, last_used_at }: Passkey): PasskeyInfo {
  return { id, name, created_at, last_used_at };
}
