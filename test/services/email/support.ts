import type { Actor } from '../../../src/core/actor.ts';
import { mailedToken } from '../../smtp.ts';
import { NOBODY, type TestApp } from '../../support.ts';

export const NEW_PASSWORD = 'beets-and-barley';
export const HOUR_MS = 3_600_000;

/** An account that has requested to confirm its address, with the mailed token. */
export async function unconfirmed(t: TestApp, username = 'ada') {
  const user = await t.signUp(username);
  await t.deps.emailVerification.request(user);
  return { ...user, mailed: await mailedToken(t, user.email) };
}

/** Requests a reset and returns the mailed token. */
export async function resetToken(t: TestApp, login: string, email: string): Promise<string> {
  await t.deps.passwordRecovery.request(NOBODY, login);
  return mailedToken(t, email);
}

const codeOf = (error: unknown) => (error as { code?: string }).code ?? 'none';
/** The code of the error, or `done`. */
export const outcome = (work: Promise<unknown>) => work.then(() => 'done', codeOf);
export const stored = (t: TestApp, id: number) =>
  t.deps.db.client.query('select * from users where id = ?').get(id) as Record<string, unknown>;
/** The actions in the audit log, oldest first. */
export const actions = (t: TestApp) =>
  t.deps.db.client
    .query('select action from audit_log order by id')
    .values()
    .map(([action]) => String(action));
export const count = (t: TestApp, table: string) =>
  Number(t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0]);

/** Adds every way into an account that somebody may prepare. */
export async function addWaysIn(t: TestApp, user: Actor) {
  const { id } = user;
  const at = new Date().toISOString();
  await t.deps.accessTokens.create(user, { name: 'prepared', scopes: ['users:read'] });
  const { client } = t.deps.db;
  client.run(
    `insert into passkeys (user_id, credential_id, public_key, counter, transports, name,
    created_at) values (?, 'c', x'00', 0, '[]', 'prepared', ?)`,
    [id, at],
  );
  client.run(
    `insert into identities (user_id, provider, subject, created_at)
    values (?, 'google', 's', ?)`,
    [id, at],
  );
  client.run(
    `insert into totps (user_id, secret, confirmed_at, last_step, created_at)
    values (?, 'x', ?, 0, ?)`,
    [id, at, at],
  );
  client.run(`insert into recovery_codes (user_id, code_hash) values (?, 'h')`, [id]);
}
export const WAYS_IN = [
  'sessions',
  'access_tokens',
  'passkeys',
  'identities',
  'totps',
  'recovery_codes',
];
