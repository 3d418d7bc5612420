import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret, TOTP } from 'otpauth';
import { queued, smtpServer, tokenIn } from '../../smtp.ts';
import { NOBODY, PASSWORD, type TestApp, testApp } from '../../support.ts';

/** The files of the data directory that hold `secret`. */
function filesWith({ deps }: TestApp, secret: string): string[] {
  const { dataDir } = deps.config;
  const names = readdirSync(dataDir, { withFileTypes: true }).filter((it) => it.isFile());
  expect(names.map(({ name }) => name)).toContain('hutch.db-wal');
  return names
    .map(({ name }) => name)
    .filter((name) => readFileSync(join(dataDir, name)).includes(secret));
}

/** The tokens of all waiting mails. */
async function tokensWaiting(t: TestApp): Promise<string[]> {
  return (await queued(t)).map(({ text }) => tokenIn(text));
}

/** The stored, sealed payloads of all waiting mails. */
function sealedMails({ deps }: TestApp): string[] {
  const rows = deps.db.client.query(`select payload from jobs where name = 'mail'`).all();
  return (rows as { payload: string }[]).map(({ payload }) => payload);
}

describe('a deleted secret is in no file after a checkpoint', () => {
  // proves: data.secret-in-plain-text, 14.2.4
  test('the token of a mail that was sent', async () => {
    await using smtp = await smtpServer();
    await using t = await testApp({ config: { smtpUrl: smtp.url } });
    const { deps } = t;
    const ada = await t.signUp('ada');
    const caller = { ...ada, session: { id: 1, second_factor_at: null } };
    await deps.emailVerification.request(caller);
    await deps.passwordRecovery.request(NOBODY, 'ada');
    await deps.passwordRecovery.idle();
    const change = { new_email: 'new@example.com', password: PASSWORD };
    await deps.emailChange.request(caller, change);
    const tokens = await tokensWaiting(t);
    const sealed = sealedMails(t);
    expect([tokens.length, sealed.length]).toEqual([3, 3]);
    for (const token of tokens) expect(filesWith(t, token)).toEqual([]);
    // Long payloads continue on other pages, so their beginnings are compared.
    for (const mail of sealed) expect(filesWith(t, mail.slice(0, 100))).not.toEqual([]);
    // As the file may hold them by now, and not the log alone.
    await deps.db.moveLog();
    await deps.jobs.runDue();
    expect(smtp.received).toHaveLength(3);
    await deps.db.moveLog();
    for (const token of tokens) expect(filesWith(t, token)).toEqual([]);
    for (const mail of sealed) expect(filesWith(t, mail.slice(0, 100))).toEqual([]);
  });

  test('the token of a mail that was given up', async () => {
    let at = Date.now();
    const config = { smtpUrl: 'smtp://127.0.0.1:9' };
    await using t = await testApp({ config, now: () => new Date(at) });
    const ada = await t.signUp('ada');
    await t.deps.emailVerification.request(ada);
    const [token = ''] = await tokensWaiting(t);
    const [sealed = ''] = sealedMails(t);
    for (let attempt = 0; attempt < 10; attempt++) {
      await t.deps.jobs.runDue();
      at += 24 * 3_600_000;
    }
    expect(sealedMails(t)).toEqual([
      '{"to":"ada@example.com","subject":"Confirm your email address"}',
    ]);
    await t.deps.db.moveLog();
    expect([filesWith(t, token), filesWith(t, sealed.slice(0, 100))]).toEqual([[], []]);
  });

  // proves: data.secret-in-plain-text
  test('the secret of an authenticator that is turned off', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const { totp } = ada.client.api.v2.auth;
    const { data: setUp } = await totp.post({ password: PASSWORD });
    const secret = setUp?.secret ?? '';
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
    expect((await totp.confirm.post({ code })).status).toBe(200);
    await t.deps.db.moveLog();
    expect(filesWith(t, secret)).toEqual(['hutch.db']);
    expect((await totp.delete({ password: PASSWORD })).status).toBe(204);
    await t.deps.db.moveLog();
    expect(filesWith(t, secret)).toEqual([]);
  });

  // proves: 14.2.4
  test('the hash of a password that was changed, and the key of the devices', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const [{ password_hash, device_key } = {}] = t.deps.db.client
      .query('select password_hash, device_key from users')
      .all() as { password_hash: string; device_key: string }[];
    if (!password_hash || !device_key) throw new Error('nothing is stored');
    const next = { current_password: PASSWORD, new_password: 'another-straw-1' };
    expect((await ada.client.api.v2.users.me.password.put(next)).status).toBe(204);
    await t.deps.db.moveLog();
    expect([filesWith(t, password_hash), filesWith(t, device_key)]).toEqual([[], []]);
  });
});
