import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  verifyAuthenticationResponse,
} from '@simplewebauthn/server';
import { eq } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { passkeys, type User, users } from '../../models/index.ts';
import type { AuthFlows } from './flows.ts';

interface Deps {
  db: Db;
  flows: AuthFlows;
  now(): Date;
}

/** The origin of the page in the browser, such as `https://app.example.com`. */
export type PageOrigin = string;

export interface PasskeyAnswer {
  flow: string;
  response: unknown;
}

/** The first step of signing in. */
export async function beginSignIn({ flows }: Deps, origin: PageOrigin) {
  const options = await generateAuthenticationOptions({
    rpID: new URL(origin).hostname,
    userVerification: 'required',
  });
  return { flow: await flows.begin('passkey_login', null, options.challenge), options };
}

/**
 * The active account whose passkey answered. Throws invalid_action_token, bad_credentials,
 * inactive_user.
 */
export async function verify(deps: Deps, answer: PasskeyAnswer, origin: PageOrigin): Promise<User> {
  const { db, flows, now } = deps;
  const { data: expectedChallenge } = await flows.take('passkey_login', answer.flow);
  const response = answer.response as AuthenticationResponseJSON;
  const isIt = eq(passkeys.credential_id, String(response.id));
  const [passkey] = await db.read.orm.select().from(passkeys).where(isIt);
  if (!passkey) throw refused();
  const { verified, authenticationInfo } = await orRefused(
    verifyAuthenticationResponse({
      response,
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
      credential: {
        id: passkey.credential_id,
        publicKey: new Uint8Array(passkey.public_key),
        counter: passkey.counter,
      },
    }),
  );
  if (!verified) throw refused();
  const set = { counter: authenticationInfo.newCounter, last_used_at: now().toISOString() };
  return db.write(async ({ orm }) => {
    await orm.update(passkeys).set(set).where(eq(passkeys.id, passkey.id));
    const [user] = await orm.select().from(users).where(eq(users.id, passkey.user_id));
    if (!user?.is_active) throw new AppError('inactive_user', 'Inactive user');
    return user;
  });
}

/** The library throws for whatever does not fit; a client is told no more than no. */
export async function orRefused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refused(error);
  }
}

export function refused(cause?: unknown): AppError {
  return new AppError('bad_credentials', 'The passkey was refused', { cause });
}
