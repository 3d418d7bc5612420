import { describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import { atOnce, NOBODY, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const STEP_MS = 30_000;

/** An account with an enabled authenticator, and an adjustable clock. */
async function withTotp(rateLimit: 'on' | 'off' = 'on') {
  const clock = { now: Date.parse('2026-11-22T16:00:00.000Z') };
  const t = await testApp({ now: () => new Date(clock.now), config: { rateLimit } });
  const { client } = await t.signUp('ada');
  const started = await client.api.v2.auth.totp.post({ password: PASSWORD });
  const totp = new TOTP({ secret: Secret.fromBase32(started.data?.secret ?? '') });
  const code = () => totp.generate({ timestamp: clock.now });
  const { data } = await client.api.v2.auth.totp.confirm.post({ code: code() });
  const codes = data?.recovery_codes ?? [];
  return Object.assign(t, { clock, code, codes, ada: client, started: started.data });
}

const login = (t: TestApp, code?: string) =>
  t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD, ...(code && { code }) });

describe('an authenticator', () => {
  // proves: cryptography.totp-rfc-6238, 2.3.1
  test('is set up with a URI for apps, and is not required until it is confirmed', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.auth.totp.post({ password: PASSWORD });
    expect(data?.uri).toStartWith('otpauth://totp/Hutch:ada?');
    expect(data?.uri).toContain(`secret=${data?.secret}`);
    expect(data?.uri).toContain('algorithm=SHA1');
    expect(Secret.fromBase32(data?.secret ?? '').bytes).toHaveLength(20);
    expect((await login(t)).status).toBe(200);
    expect((await client.api.v2.auth.totp.get()).data?.enabled).toBe(false);
    expect((await client.api.v2.auth.totp.post({ password: 'wrong-one' })).status).toBe(401);
  });

  // proves: sign-in-methods.password-post-api-v2-auth-login-and-v1, 6.3.3
  test('sign-in is second_factor_required without a code, but only with the correct password', async () => {
    await using t = await withTotp();
    const { status, error } = await login(t);
    expect(status).toBe(401);
    expect(error?.value).toMatchObject({ code: 'second_factor_required' } as never);
    const wrong = await t.client.api.v2.auth.login.post({ login: 'ada', password: 'wrong-one' });
    expect(wrong.error?.value).toMatchObject({ code: 'bad_credentials' } as never);
  });

  // proves: sign-in-methods.password-post-api-v2-auth-login-and-v1, 6.3.4
  test('v1 also requires it', async () => {
    await using t = await withTotp();
    const body = new URLSearchParams({ username: 'ada', password: PASSWORD });
    expect((await t.request('POST', '/api/v1/login/access-token', { body })).status).toBe(400);
  });

  test.each<[string, (code: string) => string]>([
    ['a space inside', (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['a dash inside', (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
    ['spaces around it', (code) => ` ${code}\n`],
    ['a no-break space inside', (code) => `${code.slice(0, 3)}\u00a0${code.slice(3)}`],
    ['full-width digits', (code) => code.replace(/\d/g, (it) => String.fromCharCode(0xff10 + +it))],
  ])('a code with %s is accepted', async (_name, spell) => {
    await using t = await withTotp();
    t.clock.now += STEP_MS;
    expect((await login(t, spell(t.code()))).status).toBe(200);
  });

  test.each<[string, (code: string) => string]>([
    ['no dashes', (code) => code.replaceAll('-', '')],
    ['spaces instead of dashes', (code) => code.replaceAll('-', ' ')],
    ['long dashes', (code) => code.replaceAll('-', ' \u2013 ')],
    ['spaces around it', (code) => ` ${code} \n`],
    ['capital letters', (code) => code.toUpperCase()],
  ])('a recovery code with %s is accepted, once', async (_name, spell) => {
    await using t = await withTotp();
    const code = spell(t.codes[0] ?? '');
    const statuses = [(await login(t, code)).status, (await login(t, code)).status];
    expect(statuses).toEqual([200, 401]);
  });

  test('a code with a space confirms it, and proves a second factor', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const started = await client.api.v2.auth.totp.post({ password: PASSWORD });
    const totp = new TOTP({ secret: Secret.fromBase32(started.data?.secret ?? '') });
    const spaced = (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`;
    const confirmed = await client.api.v2.auth.totp.confirm.post({ code: spaced(totp.generate()) });
    const [code = ''] = confirmed.data?.recovery_codes ?? [];
    const proved = await client.api.v2.auth['second-factor'].post({
      code: code.replaceAll('-', ' '),
    });
    expect([confirmed.status, proved.status]).toEqual([200, 204]);
  });

  // proves: cryptography.totp-rfc-6238, 6.5.1, 6.5.5
  test('a code works once, and the clock may be one step off', async () => {
    await using t = await withTotp();
    expect((await login(t, t.code())).status).toBe(401);
    t.clock.now += STEP_MS;
    const code = t.code();
    t.clock.now += STEP_MS;
    expect((await login(t, code)).status).toBe(200);
    expect((await login(t, code)).status).toBe(401);
    expect((await login(t, t.code())).status).toBe(200);
  });

  // proves: 6.5.1
  test('exactly one of 50 concurrent uses of a code succeeds', async () => {
    await using t = await withTotp('off');
    t.clock.now += 2 * STEP_MS;
    const code = t.code();
    const results = await atOnce(50, () =>
      t.deps.auth.login(NOBODY, { login: 'ada', password: PASSWORD, code }),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  // proves: 6.4.4, 6.5.1
  test('a recovery code works once', async () => {
    await using t = await withTotp();
    expect(t.codes).toHaveLength(10);
    const [code = ''] = t.codes;
    expect((await login(t, code.toUpperCase())).status).toBe(200);
    expect((await login(t, code)).status).toBe(401);
    expect((await t.ada.api.v2.auth.totp.get()).data).toEqual({
      enabled: true,
      recovery_codes_left: 9,
    });
    const stored = JSON.stringify(t.deps.db.client.query('select * from recovery_codes').all());
    expect(stored).not.toContain(t.codes[1] ?? '?');
  });

  // proves: cryptography.recovery-codes, 6.5.2, 6.5.4, 11.5.1
  test('a recovery code has more than 128 bits, so that a SHA-256 hash protects it', async () => {
    await using t = await withTotp();
    const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
    for (const code of t.codes)
      expect(code).toMatch(new RegExp(`^([${letters}]{7}-){3}[${letters}]{7}$`));
    expect(28 * Math.log2(letters.length)).toBeGreaterThan(128);
    expect(new Set(t.codes).size).toBe(10);
  });

  // proves: cryptography.recovery-codes
  test('new recovery codes replace the old ones', async () => {
    await using t = await withTotp();
    const renewed = await t.ada.api.v2.auth['recovery-codes'].post({ password: PASSWORD });
    expect((await login(t, t.codes[0])).status).toBe(401);
    expect((await login(t, renewed.data?.recovery_codes[0])).status).toBe(200);
  });

  // proves: limits.failed-sign-ins-password-or-code-per-account
  test('wrong codes are counted like wrong passwords', async () => {
    await using t = await withTotp();
    const statuses = [];
    for (let guess = 0; guess < 7; guess++) statuses.push((await login(t, `00000${guess}`)).status);
    expect(statuses.slice(-2)).toEqual([429, 429]);
  });

  // proves: 6.4.4, 7.5.1
  test('is turned off with the password alone, and is a conflict when there is none', async () => {
    await using t = await withTotp();
    expect((await t.ada.api.v2.auth.totp.delete({ password: 'wrong-one' })).status).toBe(401);
    expect((await t.ada.api.v2.auth.totp.delete({ password: PASSWORD })).status).toBe(204);
    expect((await t.ada.api.v2.auth.totp.delete({ password: PASSWORD })).status).toBe(409);
    expect((await login(t)).status).toBe(200);
  });
});
