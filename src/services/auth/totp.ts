import { and, count, eq, lt } from 'drizzle-orm';
import { Secret, TOTP } from 'otpauth';
import type { Actor } from '../../core/actor.ts';
import type { Db, Session as DbSession } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import { hashToken } from '../../core/security/security.ts';
import { recoveryCodes, totps } from '../../models/index.ts';
import { fold } from '../../utils/text/text.ts';
import type { Audit } from '../audit/audit.ts';
import type { Notices } from '../mail/notices.ts';
import { forgetLostFactor, noteSecondFactor } from './second-factor.ts';

/** RFC 6238's defaults, which every authenticator app knows. */
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** Steps before and after the present one: for clocks that differ. */
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** Without the letters and digits that are taken for each other. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

export interface TotpDeps {
  db: Db;
  audit: Audit;
  notices: Notices;
  /** `appName` is what authenticator apps show. */
  config: { appName: string };
  now(): Date;
}

/** What an authenticator app is set up with; `uri` is what its QR code holds. */
export interface TotpSetup {
  secret: string;
  uri: string;
}

export type Totps = ReturnType<typeof createTotps>;

export const createTotps = (deps: TotpDeps) => ({
  /** Whether a code is asked for at sign-in, and how many recovery codes are left. */
  status: (user_id: number) => status(deps, user_id),

  /** Begins to set up an authenticator; asks for nothing until confirmed. Throws conflict. */
  begin: (user: { id: number; username: string }): Promise<TotpSetup> => begin(deps, user),

  /**
   * Turns it on with a first code, which counts as the second factor of the caller's session, and
   * returns the recovery codes. Throws bad_credentials, conflict.
   */
  confirm: (actor: Actor, code: string): Promise<string[]> => confirm(deps, actor, code),

  /** Makes new recovery codes in place of the old. Throws conflict when it is not on. */
  renewCodes: (actor: Actor): Promise<string[]> =>
    deps.db.write(async (tx) => {
      if (!(await find(tx, actor.id))?.confirmed_at) throw notOn();
      return makeCodes(deps, tx, actor);
    }),

  /** Turns it off and forgets its codes. Throws conflict when it is not on. */
  disable: (actor: Actor): Promise<void> => disable(deps, actor),

  /**
   * True if the account has an authenticator and `code` is right, false if it has none. Throws
   * second_factor_required without a code and bad_credentials for one that is wrong or was used;
   * a recovery code works once.
   */
  require: (actor: Actor, code: string | undefined): Promise<boolean> =>
    requireCode(deps, actor, code),
});

async function status({ db }: TotpDeps, user_id: number) {
  const isOn = Boolean((await find(db.read, user_id))?.confirmed_at);
  const own = eq(recoveryCodes.user_id, user_id);
  const [left] = await db.read.orm.select({ codes: count() }).from(recoveryCodes).where(own);
  return { enabled: isOn, recovery_codes_left: left?.codes ?? 0 };
}

async function begin(
  { db, now, config }: TotpDeps,
  { id, username }: { id: number; username: string },
) {
  const secret = new Secret({ size: 20 });
  await db.write(async (tx) => {
    if ((await find(tx, id))?.confirmed_at) {
      throw new AppError('conflict', 'An authenticator is already on');
    }
    const row = {
      user_id: id,
      secret: secret.base32,
      last_step: 0,
      created_at: now().toISOString(),
    };
    const set = { ...row, confirmed_at: null };
    await tx.orm.insert(totps).values(row).onConflictDoUpdate({ target: totps.user_id, set });
  });
  // A colon ends the issuer in the URI.
  const issuer = config.appName.replaceAll(':', ' ');
  const totp = new TOTP({ issuer, label: username, secret, digits: DIGITS });
  return { secret: secret.base32, uri: totp.toString() };
}

async function confirm(deps: TotpDeps, actor: Actor, code: string) {
  const { db, audit, notices, now } = deps;
  const user_id = actor.id;
  return db.write(async (tx) => {
    const row = await find(tx, user_id);
    if (!row || row.confirmed_at)
      throw new AppError('conflict', 'No authenticator is being set up');
    if (!(await takeStep(deps, tx, user_id, row.secret, plainCode(code)))) throw wrongCode();
    const set = { confirmed_at: now().toISOString() };
    await tx.orm.update(totps).set(set).where(eq(totps.user_id, user_id));
    await audit.own(tx, actor, 'totp.enabled');
    await noteSecondFactor(tx, actor, now());
    await notices.send(tx, user_id, 'totp.enabled');
    return makeCodes(deps, tx, actor);
  });
}

async function disable({ db, audit, notices }: TotpDeps, actor: Actor) {
  const user_id = actor.id;
  await db.write(async (tx) => {
    const gone = await tx.orm.delete(totps).where(eq(totps.user_id, user_id)).returning();
    if (!gone[0]?.confirmed_at) throw notOn();
    await tx.orm.delete(recoveryCodes).where(eq(recoveryCodes.user_id, user_id));
    await forgetLostFactor(tx, user_id);
    await audit.own(tx, actor, 'totp.disabled');
    await notices.send(tx, user_id, 'totp.disabled');
  });
}

async function requireCode(deps: TotpDeps, actor: Actor, code: string | undefined) {
  const user_id = actor.id;
  const row = await find(deps.db.read, user_id);
  if (!row?.confirmed_at) return false;
  if (!code) throw new AppError('second_factor_required', 'A code is needed too');
  const plain = plainCode(code);
  await deps.db.write(async (tx) => {
    if (await takeStep(deps, tx, user_id, row.secret, plain)) return;
    const isIt = and(
      eq(recoveryCodes.user_id, user_id),
      eq(recoveryCodes.code_hash, hashToken(grouped(plain))),
    );
    const [spent] = await tx.orm.delete(recoveryCodes).where(isIt).returning();
    if (!spent) throw wrongCode();
    await deps.audit.own(tx, actor, 'recovery_code.used');
    await deps.notices.send(tx, user_id, 'recovery_code.used');
  });
  return true;
}

/** Takes a code whose time step is later than the last one taken: each works once. */
async function takeStep(
  { now }: TotpDeps,
  tx: DbSession,
  user_id: number,
  secret: string,
  token: string,
): Promise<boolean> {
  const totp = new TOTP({ secret: Secret.fromBase32(secret), digits: DIGITS });
  const timestamp = now().getTime();
  const delta = totp.validate({ token, timestamp, window: WINDOW });
  if (delta === null) return false;
  const last_step = Math.floor(timestamp / 1000 / PERIOD_SECONDS) + delta;
  const isLater = and(eq(totps.user_id, user_id), lt(totps.last_step, last_step));
  return (await tx.orm.update(totps).set({ last_step }).where(isLater).returning()).length > 0;
}

async function makeCodes({ audit }: TotpDeps, tx: DbSession, actor: Actor) {
  const user_id = actor.id;
  const codes = Array.from({ length: RECOVERY_CODES }, newCode);
  await tx.orm.delete(recoveryCodes).where(eq(recoveryCodes.user_id, user_id));
  const rows = codes.map((code) => ({ user_id, code_hash: hashToken(code) }));
  await tx.orm.insert(recoveryCodes).values(rows);
  await audit.own(tx, actor, 'recovery_codes.made');
  return codes;
}

/** 138 bits, so that a plain hash is enough to store, as `k3j9dxr-7m2qhwb-p4nt8ev-c6ysr5g`. */
function newCode(): string {
  const values = crypto.getRandomValues(new Uint32Array(28));
  const text = [...values].map((value) => ALPHABET[value % ALPHABET.length]).join('');
  return grouped(text);
}

function grouped(code: string): string {
  return code.replace(/.{7}(?=.)/g, '$&-');
}

/** A code as it is compared: apps and people group it with blanks or dashes. */
function plainCode(code: string): string {
  return fold(code).replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, '');
}

async function find({ orm }: DbSession, user_id: number) {
  return (await orm.select().from(totps).where(eq(totps.user_id, user_id)))[0];
}

function notOn(): AppError {
  return new AppError('conflict', 'No authenticator is on');
}

function wrongCode(): AppError {
  return new AppError('bad_credentials', 'The code is wrong');
}
