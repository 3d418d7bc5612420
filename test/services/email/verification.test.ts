import { describe, expect, test } from 'bun:test';
import { mailedToken, queued } from '../../smtp.ts';
import { atOnce, NOBODY, PASSWORD, testApp } from '../../support.ts';
import {
  actions,
  addWaysIn,
  count,
  HOUR_MS,
  NEW_PASSWORD,
  outcome,
  stored,
  unconfirmed,
  WAYS_IN,
} from './support.ts';

describe('confirming an address', () => {
  test('with the password ends nothing', async () => {
    await using t = await testApp();
    const ada = await unconfirmed(t);
    await addWaysIn(t, ada);
    const proof = { token: ada.mailed, password: PASSWORD };
    expect(await t.deps.emailVerification.confirm(NOBODY, proof)).toEqual({
      kept: true,
      reset_token: null,
    });
    expect(WAYS_IN.map((table) => count(t, table))).toEqual([1, 1, 1, 1, 1, 1]);
    expect((await ada.client.api.v2.users.me.get()).data?.email_verified).toBe(true);
    expect(actions(t)).toContain('email.verified');
  });

  // proves: sessions.address-verified-without-the-password
  test('without the password ends every existing way in, and returns a token for a new password', async () => {
    await using t = await testApp();
    const ada = await unconfirmed(t);
    await addWaysIn(t, ada);
    const wish = { new_email: 'eve@example.com', password: PASSWORD };
    await t.deps.emailChange.request(ada, wish);
    const stolen = await mailedToken(t, 'eve@example.com');
    const { kept, reset_token } = await t.deps.emailVerification.confirm(NOBODY, {
      token: ada.mailed,
    });
    expect(kept).toBe(false);
    expect(WAYS_IN.map((table) => count(t, table))).toEqual([0, 0, 0, 0, 0, 0]);
    expect(stored(t, ada.id)['password_hash']).toBeNull();
    const change = { token: stolen, password: PASSWORD };
    expect(await outcome(t.deps.emailChange.confirm(NOBODY, change))).toBe('invalid_action_token');
    const next = { token: String(reset_token), new_password: NEW_PASSWORD };
    await t.deps.passwordRecovery.reset(NOBODY, next);
    const login = { login: 'ada', password: NEW_PASSWORD };
    expect(await outcome(t.deps.auth.login(NOBODY, login))).toBe('done');
  });

  test('a wrong password is bad_credentials and does not spend the token', async () => {
    await using t = await testApp();
    const { mailed } = await unconfirmed(t);
    const verify = (password: string) =>
      outcome(t.deps.emailVerification.confirm(NOBODY, { token: mailed, password }));
    expect(await verify('wrong-password')).toBe('bad_credentials');
    expect(await verify(PASSWORD)).toBe('done');
  });

  test('limits guesses of the password as sign-in does', async () => {
    await using t = await testApp();
    const { mailed } = await unconfirmed(t);
    const guess = () =>
      outcome(t.deps.emailVerification.confirm(NOBODY, { token: mailed, password: 'x' }));
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) answers.push(await guess());
    expect(answers.at(-1)).toBe('too_many_requests');
  });

  test('sends no mail and ends nothing if it is confirmed already', async () => {
    await using t = await testApp();
    const ada = await unconfirmed(t);
    t.deps.db.client.run(`update users set email_verified_at = created_at`);
    await t.deps.emailVerification.request(ada);
    expect(await queued(t)).toHaveLength(1);
    expect((await t.deps.emailVerification.confirm(NOBODY, { token: ada.mailed })).kept).toBe(true);
    expect(count(t, 'sessions')).toBe(1);
  });

  // proves: 2.3.4
  test('succeeds once of 50 concurrent attempts', async () => {
    await using t = await testApp();
    const { mailed } = await unconfirmed(t);
    const all = await atOnce(50, () =>
      outcome(t.deps.emailVerification.confirm(NOBODY, { token: mailed })),
    );
    const answers = all.map((it) => (it.status === 'fulfilled' ? it.value : 'threw')).toSorted();
    expect(answers).toEqual(['done', ...Array(49).fill('invalid_action_token')]);
    expect(actions(t).filter((action) => action === 'email.verified')).toHaveLength(1);
  });

  // proves: data.mailed-tokens
  test('a new token replaces the one before', async () => {
    await using t = await testApp();
    const ada = await unconfirmed(t);
    await t.deps.emailVerification.request(ada);
    const again = await mailedToken(t, ada.email);
    const verify = (token: string) => outcome(t.deps.emailVerification.confirm(NOBODY, { token }));
    expect(await verify(ada.mailed)).toBe('invalid_action_token');
    expect(await verify(again)).toBe('done');
  });

  // proves: data.mailed-tokens
  test('accepts the link for 24 hours and no longer', async () => {
    const clock = { at: Date.parse('2026-11-22T16:00:00.000Z') };
    await using t = await testApp({ now: () => new Date(clock.at) });
    const verify = (token: string) => outcome(t.deps.emailVerification.confirm(NOBODY, { token }));
    const [ada, bob] = [await unconfirmed(t, 'ada'), await unconfirmed(t, 'bob')];
    clock.at += 24 * HOUR_MS - 1;
    expect(await verify(ada.mailed)).toBe('done');
    clock.at += 1;
    expect(await verify(bob.mailed)).toBe('invalid_action_token');
  });
});
