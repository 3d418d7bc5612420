import { describe, expect, test } from 'bun:test';
import { queued } from '../../smtp.ts';
import { atOnce, NOBODY, nobodyAt, PASSWORD, testApp } from '../../support.ts';
import {
  actions,
  addWaysIn,
  count,
  HOUR_MS,
  NEW_PASSWORD,
  outcome,
  resetToken,
  stored,
  unconfirmed,
  WAYS_IN,
} from './support.ts';

describe('a password reset', () => {
  // proves: sign-in-methods.mailed-reset-link, 6.4.3
  test('sets a new password, ends every session, opens none and confirms the address', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await resetToken(t, 'ADA', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(count(t, 'sessions')).toBe(0);
    expect(stored(t, ada.id)['email_verified_at']).toBeString();
    const login = (password: string) =>
      outcome(t.deps.auth.login(NOBODY, { login: 'ada', password }));
    expect([await login(PASSWORD), await login(NEW_PASSWORD)]).toEqual(['bad_credentials', 'done']);
    expect(actions(t)).toContain('password.reset');
    expect((await queued(t)).at(-1)?.subject).toBe('Your password was changed');
  });

  // proves: sessions.password-reset
  test('ends every existing way in if the address was not confirmed', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await addWaysIn(t, ada);
    const token = await resetToken(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(WAYS_IN.map((table) => count(t, table))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  // proves: sign-in-methods.mailed-reset-link, sessions.password-reset, 6.4.3
  test('ends sessions and tokens, but not passkeys, of a confirmed address', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await addWaysIn(t, ada);
    t.deps.db.client.run('update users set email_verified_at = created_at');
    const token = await resetToken(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(WAYS_IN.map((table) => count(t, table))).toEqual([0, 0, 1, 1, 1, 1]);
  });

  test('ends the other links of the account', async () => {
    await using t = await testApp();
    const ada = await unconfirmed(t);
    const wish = { new_email: 'new@example.com', password: PASSWORD };
    await t.deps.emailChange.request(ada, wish);
    const token = await resetToken(t, 'ada', ada.email);
    await t.deps.passwordRecovery.reset(NOBODY, { token, new_password: NEW_PASSWORD });
    expect(count(t, 'action_tokens')).toBe(0);
  });

  test('succeeds once of 50 concurrent attempts', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await resetToken(t, 'ada', ada.email);
    const all = await atOnce(50, (n) =>
      outcome(
        t.deps.passwordRecovery.reset(NOBODY, { token, new_password: `${NEW_PASSWORD}${n}` }),
      ),
    );
    const answers = all.map((it) => (it.status === 'fulfilled' ? it.value : 'threw'));
    expect(answers.filter((it) => it === 'done')).toHaveLength(1);
    expect(answers.filter((it) => it === 'invalid_action_token')).toHaveLength(49);
    expect(actions(t).filter((action) => action === 'password.reset')).toHaveLength(1);
  });

  test('a common password is weak_password and does not spend the token', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await resetToken(t, 'ada', ada.email);
    const set = (new_password: string) =>
      outcome(t.deps.passwordRecovery.reset(NOBODY, { token, new_password }));
    expect(await set('password123')).toBe('weak_password');
    expect(await set(NEW_PASSWORD)).toBe('done');
  });

  // proves: sign-in-methods.mailed-reset-link, data.mailed-tokens
  test('accepts the link for 30 minutes and no longer', async () => {
    const clock = { at: Date.parse('2026-11-22T16:00:00.000Z') };
    await using t = await testApp({ now: () => new Date(clock.at) });
    const ada = await t.signUp('ada');
    const token = await resetToken(t, 'ada', ada.email);
    clock.at += HOUR_MS / 2;
    const next = { token, new_password: NEW_PASSWORD };
    expect(await outcome(t.deps.passwordRecovery.reset(NOBODY, next))).toBe('invalid_action_token');
  });

  // proves: input.mailed-token
  test('refuses a link that was mailed to a former address', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const token = await resetToken(t, 'ada', ada.email);
    t.deps.db.client.run(`update users set email = 'b@example.com', email_key = 'b@example.com'`);
    const next = { token, new_password: NEW_PASSWORD };
    expect(await outcome(t.deps.passwordRecovery.reset(NOBODY, next))).toBe('invalid_action_token');
  });

  test('requests are audited for every login, and only active accounts get a mail', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    t.deps.db.client.run('update users set is_active = 0');
    for (const login of ['ada', 'nobody', 'nobody@example.com']) {
      await t.deps.passwordRecovery.request(NOBODY, login);
    }
    expect(await queued(t)).toEqual([]);
    expect(actions(t).filter((it) => it === 'password.reset_asked')).toHaveLength(3);
  });

  // proves: limits.mails-to-a-verified-address-in-an-hour
  test('an account gets 5 mails an hour, and further requests look the same', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const ask = () => outcome(t.deps.passwordRecovery.request(NOBODY, 'ada'));
    const answers: string[] = [];
    for (let n = 0; n < 8; n++) answers.push(await ask());
    expect(new Set(answers)).toEqual(new Set(['done']));
    expect(await queued(t)).toHaveLength(5);
  });

  // proves: 2.3.2
  test('50 concurrent requests for one account send 5 mails', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await atOnce(50, () => t.deps.passwordRecovery.request(NOBODY, 'ada'));
    expect(await queued(t)).toHaveLength(5);
  });

  // proves: limits.mails-requested-by-one-address-in-an-hour
  test('too many requests from one address are refused, whatever the login', async () => {
    await using t = await testApp({ config: { limitMails: 2 } });
    await t.signUp('ada');
    const ask = (login: string, address: string) =>
      outcome(t.deps.passwordRecovery.request(nobodyAt(address), login));
    await ask('ada', '2001:db8::1');
    await ask('nobody', '2001:db8::2');
    expect(await ask('nobody', '2001:db8::3')).toBe('too_many_requests');
    expect(await ask('ada', '2001:db8::4')).toBe('too_many_requests');
    expect(await ask('ada', '2001:db8:0:1::1')).toBe('done');
  });

  test('requests are not limited when limits are off', async () => {
    await using t = await testApp({ config: { limitMails: 1, rateLimit: 'off' } });
    await t.signUp('ada');
    for (let n = 0; n < 3; n++) await t.deps.passwordRecovery.request(nobodyAt('::1'), 'ada');
    expect(await queued(t)).toHaveLength(3);
  });
});
