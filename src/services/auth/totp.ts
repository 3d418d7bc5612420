import { and, count, eq, lt } from 'drizzle-orm';
import { Secret, TOTP } from 'otpauth';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken } from '../../core/security/security.ts';
import { recoveryCodes, totps } from '../../models/totp.ts';
import type { User } from '../../models/users.ts';
import { fold } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import type { Notices } from '../mail/notices.ts';
import {
  type AdminFactorDeps,
  clearLostFactor,
  recordSecondFactor,
  requireSecondFactor,
} from './second-factor.ts';
import { type SignInThrottle, sessionBucket } from './throttle.ts';

/** The defaults of RFC 6238, which every authenticator app supports. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** Accepted time steps before and after the current one, because clocks differ. */
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** Leaves out letters and digits that are easily confused. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

export interface TotpDeps extends AdminFactorDeps {
  db: Db;
  audit: Audit;
  notices: Notices;
  throttle: SignInThrottle;
  /** `appName` is shown by authenticator apps. */
  config: { appName: string };
  /** Returns the actor's account. Throws bad_credentials for a wrong password. */
  prove(actor: Actor, password: string): Promise<User>;
  now(): Date;
}

/** The setup of an authenticator app; `uri` is the content of its QR code. */
export interface TotpSetup {
  secret: string;
  uri: string;
}

export type Totps = ReturnType<typeof createTotps>;

/** The authenticator of an account and its recovery codes. Weakening it requires the password. */
export const createTotps = (deps: TotpDeps) => {
  const { db, audit, notices, throttle, config, prove, now } = deps;

  /**
   * Returns true if the account has an authenticator and `code` is right, false if it has none.
   * Throws second_factor_required without a code, and bad_credentials for a wrong or used one; a
   * recovery code works once.
   */
  const check = async (actor: Actor, code: string | undefined): Promise<boolean> => {
    const user_id = actor.id;
    const row = await find(db.read, user_id);
    if (!row?.confirmed_at) return false;
    if (!code) throw new AppError('second_factor_required', 'A second factor code is required');
    const plain = plainCode(code);
    await db.write(async (tx) => {
      if (await spendStep(tx, { user_id, secret: row.secret, token: plain, at: now() })) return;
      const isCode = and(
        eq(recoveryCodes.user_id, user_id),
        eq(recoveryCodes.code_hash, hashToken(grouped(plain))),
      );
      const [spent] = await tx.orm.delete(recoveryCodes).where(isCode).returning();
      if (!spent) throw wrongCode();
      await audit.own(tx, actor, 'recovery_code.used');
      await notices.send(tx, user_id, 'recovery_code.used');
    });
    return true;
  };

  const replaceCodes = async (tx: Tx, actor: Actor): Promise<string[]> => {
    const user_id = actor.id;
    const codes = Array.from({ length: RECOVERY_CODES }, newCode);
    await tx.orm.delete(recoveryCodes).where(eq(recoveryCodes.user_id, user_id));
    const rows = codes.map((code) => ({ user_id, code_hash: hashToken(code) }));
    await tx.orm.insert(recoveryCodes).values(rows);
    await audit.own(tx, actor, 'recovery_codes.made');
    return codes;
  };

  return {
    check,

    /** Returns whether sign-in requires a code, and the number of unused recovery codes. */
    status: async ({ id }: Actor) => {
      const isOn = Boolean((await find(db.read, id))?.confirmed_at);
      const unused = db.read.orm.select({ codes: count() }).from(recoveryCodes);
      const [left] = await unused.where(eq(recoveryCodes.user_id, id));
      return { enabled: isOn, recovery_codes_left: left?.codes ?? 0 };
    },

    /**
     * Starts to set up an authenticator, which has no effect until it is confirmed. Throws
     * bad_credentials, conflict, second_factor_missing.
     */
    begin: async (actor: Actor, password: string): Promise<TotpSetup> => {
      await requireSecondFactor(deps, actor);
      const { id: user_id, username } = await prove(actor, password);
      const secret = new Secret({ size: 20 });
      await db.write(async (tx) => {
        if ((await find(tx, user_id))?.confirmed_at) {
          throw new AppError('conflict', 'An authenticator is already on');
        }
        const created_at = now().toISOString();
        const row = { user_id, secret: secret.base32, last_step: 0, created_at };
        const set = { ...row, confirmed_at: null };
        await tx.orm.insert(totps).values(row).onConflictDoUpdate({ target: totps.user_id, set });
      });
      // A colon would end the issuer in the URI.
      const issuer = config.appName.replaceAll(':', ' ');
      const totp = new TOTP({ issuer, label: username, secret, digits: DIGITS });
      return { secret: secret.base32, uri: totp.toString() };
    },

    /**
     * Turns the authenticator on with its first code, which also proves the second factor of the
     * caller's session, and returns the recovery codes. Throws bad_credentials, conflict,
     * second_factor_missing.
     */
    confirm: async (actor: Actor, code: string): Promise<{ recovery_codes: string[] }> => {
      await requireSecondFactor(deps, actor);
      const user_id = actor.id;
      return db.write(async (tx) => {
        const row = await find(tx, user_id);
        if (!row || row.confirmed_at) {
          throw new AppError('conflict', 'No authenticator is being set up');
        }
        const at = now();
        const token = plainCode(code);
        if (!(await spendStep(tx, { user_id, secret: row.secret, token, at }))) throw wrongCode();
        const set = { confirmed_at: at.toISOString() };
        await tx.orm.update(totps).set(set).where(eq(totps.user_id, user_id));
        await audit.own(tx, actor, 'totp.enabled');
        await recordSecondFactor(tx, actor, at);
        await notices.send(tx, user_id, 'totp.enabled');
        return { recovery_codes: await replaceCodes(tx, actor) };
      });
    },

    /**
     * Proves the second factor for the caller's session, with a code of the authenticator or a
     * recovery code. Guesses are limited like those of the password. Throws conflict without an
     * authenticator, bad_credentials, too_many_requests.
     */
    proveCode: async (actor: Actor, code: string): Promise<void> => {
      const bucket = sessionBucket(actor.session?.id ?? 0);
      const attempt = await throttle.begin({ bucket, address: null });
      try {
        const isProven = await check(actor, code).catch(async (error) => {
          await db.write((tx) => attempt.fail(tx));
          throw error;
        });
        if (!isProven) throw notEnabled();
        await db.write((tx) => recordSecondFactor(tx, actor, now()));
        await attempt.succeed();
      } finally {
        attempt.end();
      }
    },

    /** Turns the authenticator off and deletes the recovery codes. Throws bad_credentials, conflict. */
    disable: async (actor: Actor, password: string): Promise<void> => {
      await prove(actor, password);
      const user_id = actor.id;
      await db.write(async (tx) => {
        const [deleted] = await tx.orm.delete(totps).where(eq(totps.user_id, user_id)).returning();
        if (!deleted?.confirmed_at) throw notEnabled();
        await tx.orm.delete(recoveryCodes).where(eq(recoveryCodes.user_id, user_id));
        await clearLostFactor(tx, user_id);
        await audit.own(tx, actor, 'totp.disabled');
        await notices.send(tx, user_id, 'totp.disabled');
      });
    },

    /** Replaces the recovery codes and returns the new ones. Throws bad_credentials, conflict. */
    renewCodes: async (actor: Actor, password: string): Promise<{ recovery_codes: string[] }> => {
      await prove(actor, password);
      return db.write(async (tx) => {
        if (!(await find(tx, actor.id))?.confirmed_at) throw notEnabled();
        return { recovery_codes: await replaceCodes(tx, actor) };
      });
    },
  };
};

interface TotpCode {
  user_id: number;
  secret: string;
  token: string;
  at: Date;
}

/** Accepts a code if its time step is later than the last accepted one: each code works once. */
async function spendStep(
  { orm }: Session,
  { user_id, secret, token, at }: TotpCode,
): Promise<boolean> {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), digits: DIGITS });
  const timestamp = at.getTime();
  const delta = totp.validate({ token, timestamp, window: WINDOW });
  if (delta === null) return false;
  const last_step = Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta;
  const isLater = and(eq(totps.user_id, user_id), lt(totps.last_step, last_step));
  return (await orm.update(totps).set({ last_step }).where(isLater).returning()).length > 0;
}

/** A code such as `k3j9dxr-7m2qhwb-p4nt8ev-c6ysr5g`: with 138 bits, a plain hash is safe to store. */
function newCode(): string {
  const values = crypto.getRandomValues(new Uint32Array(28));
  const text = [...values].map((value) => ALPHABET[value % ALPHABET.length]).join('');
  return grouped(text);
}

function grouped(code: string): string {
  return code.replace(/.{7}(?=.)/g, '$&-');
}

/** Removes the spaces and dashes with which apps and people group codes. */
function plainCode(code: string): string {
  return fold(code).replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, '');
}

async function find({ orm }: Session, user_id: number) {
  return (await orm.select().from(totps).where(eq(totps.user_id, user_id)))[0];
}

function notEnabled(): AppError {
  return new AppError('conflict', 'No authenticator is on');
}

function wrongCode(): AppError {
  return new AppError('bad_credentials', 'The code is wrong');
}
