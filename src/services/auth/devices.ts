import { createHmac, timingSafeEqual } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { networkOf } from '../../core/client-address.ts';
import type { Session as DbSession } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { hashToken, newToken } from '../../core/security/security.ts';
import { type User, users } from '../../models/users.ts';
import { nameKey } from '../../utils/text/email.ts';
import type { Sessions } from './sessions.ts';
import { accountBucket, accountNetworkBucket, type Guesser, sessionBucket } from './throttle.ts';

const LIFE_SECONDS = 365 * 86_400;
const RANDOM_BYTES = 12;
/** `<account>.<time and random bytes>.<signature>`. */
const DEVICE_TOKEN = /^(\d{1,15})\.([\w-]{22})\.([\w-]{43})$/;
/** Verifies tokens of unknown accounts, so that they cost as much as known ones. */
const NO_KEY = newToken();
/** Proofs examined per attempt; a browser stores fewer. */
const MAX_PROOFS = 8;

export interface DevicesDeps {
  sessions: Sessions;
  now(): Date;
}

export type Devices = ReturnType<typeof createDevices>;

/** The client that attempts to sign in, as described by its request. */
export interface Stranger {
  login: string;
  /** Device tokens and session tokens. */
  proofs: readonly string[];
  address: string | null;
}

const keyOf = prepare<{ id: number }, Pick<User, 'device_key'>[]>((orm) =>
  orm
    .select({ device_key: users.device_key })
    .from(users)
    .where(eq(users.id, sql.placeholder('id'))),
);

/**
 * Devices that have signed in to an account before: failures of strangers do not lock them out
 * (OWASP calls this device cookies). A device token is a signed random name. It is not stored, and
 * valid for a year or until `forget`.
 */
export const createDevices = ({ sessions, now }: DevicesDeps) => ({
  /** Issues a device token for an account, in the transaction of its sign-in. */
  issue: async (tx: DbSession, user_id: number): Promise<string> => {
    const [known] = await keyOf(tx, { id: user_id });
    const device_key = known?.device_key ?? newToken();
    if (!known?.device_key) {
      await tx.orm.update(users).set({ device_key }).where(eq(users.id, user_id));
    }
    const name = newName(now());
    return `${user_id}.${name}.${sign(device_key, user_id, name).toString('base64url')}`;
  },

  /** Ends all device tokens of an account. */
  forget: async ({ orm }: DbSession, user_id: number): Promise<void> => {
    await orm.update(users).set({ device_key: null }).where(eq(users.id, user_id));
  },

  /**
   * Returns the counters of a sign-in attempt: those of a known device or session, else of a network
   * that the account has a session from, else of the account. An unknown login is counted and waits
   * as an account does.
   */
  guesser: async (user: User | undefined, stranger: Stranger): Promise<Guesser> => {
    const { login, proofs, address } = stranger;
    const bucket = await provenBucket(sessions, user, proofs.slice(0, MAX_PROOFS), now());
    if (bucket !== undefined) return { bucket, address: null };
    const network = address && networkOf(address);
    const isKnown = network !== null && (await sessions.areFrom(user?.id ?? 0, network));
    if (!user) return { bucket: `login:${hashToken(nameKey(login))}`, address };
    return {
      bucket: isKnown ? accountNetworkBucket(user.id, network) : accountBucket(user.id),
      address,
    };
  },
});

async function provenBucket(
  sessions: Sessions,
  user: User | undefined,
  proofs: readonly string[],
  at: Date,
): Promise<string | undefined> {
  for (const proof of proofs) {
    const device = deviceOf(user, proof, at);
    if (device !== undefined) return `device:${device}`;
    const owner = proof.includes('.') ? undefined : await sessions.identify(proof);
    if (owner && owner.id === user?.id) return sessionBucket(owner.session.id);
  }
  return undefined;
}

/** The device that a token names; undefined if the account did not sign it or it is too old. */
function deviceOf(user: User | undefined, token: string, at: Date): string | undefined {
  const [, id, name, signature] = token.match(DEVICE_TOKEN) ?? [];
  if (id === undefined || name === undefined || signature === undefined) return undefined;
  const expected = sign(user?.device_key ?? NO_KEY, Number(id), name);
  const isSigned = timingSafeEqual(expected, Buffer.from(signature, 'base64url'));
  const isOf = user !== undefined && Number(id) === user.id && isSigned;
  const ageSeconds = at.getTime() / 1000 - Buffer.from(name, 'base64url').readUInt32BE();
  return isOf && ageSeconds < LIFE_SECONDS ? `${id}.${name}` : undefined;
}

/** The time in seconds, then random bytes. */
function newName(at: Date): string {
  const time = Buffer.alloc(4);
  time.writeUInt32BE(Math.floor(at.getTime() / 1000));
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  return Buffer.concat([time, random]).toString('base64url');
}

function sign(key: string, user_id: number, name: string): Buffer {
  return createHmac('sha256', key).update(`device ${user_id} ${name}`).digest();
}
