import { describe, expect, test } from 'bun:test';
import { createPasswordHasher } from '../../../src/core/security/security.ts';
import { mailedToken, queued } from '../../smtp.ts';
import { atOnce, NOBODY, PASSWORD, testApp } from '../../support.ts';
import { actions, count, NEW_PASSWORD, outcome, stored } from './support.ts';

describe('an email change', () => {
  const wish = { new_email: 'new@example.com', password: PASSWORD };

  // proves: permissions.email, 7.5.1
  test('requires the password, then the link mailed to the new address', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const wrong = { ...wish, password: 'wrong-password' };
    expect(await outcome(t.deps.emailChange.request(ada, wrong))).toBe('bad_credentials');
    await t.deps.emailChange.request(ada, wish);
    expect(stored(t, ada.id)['email']).toBe('ada@example.com');
    const token = await mailedToken(t, wish.new_email);
    await t.deps.emailChange.confirm(NOBODY, { token, password: PASSWORD });
    expect(stored(t, ada.id)).toMatchObject({ email: wish.new_email, email_key: wish.new_email });
    expect(stored(t, ada.id)['email_verified_at']).toBeString();
    expect(count(t, 'sessions')).toBe(1);
    const recipients = (await queued(t)).map(({ recipient }) => recipient);
    expect(recipients).toEqual([wish.new_email, 'ada@example.com']);
    expect(actions(t).slice(-2)).toEqual(['email.change_asked', 'email.changed']);
  });

  // proves: sign-in-methods.whether-an-address-has-an-account
  test('to a taken address reveals this only to the owner of that address', async () => {
    await using t = await testApp();
    const [ada] = [await t.signUp('ada'), await t.signUp('new')];
    expect(await outcome(t.deps.emailChange.request(ada, wish))).toBe('done');
    const token = await mailedToken(t, wish.new_email);
    const proof = { token, password: PASSWORD };
    expect(await outcome(t.deps.emailChange.confirm(NOBODY, proof))).toBe('email_taken');
    expect(stored(t, ada.id)['email']).toBe('ada@example.com');
  });

  test('takes place once for 50 concurrent confirmations', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await t.deps.emailChange.request(ada, wish);
    const token = await mailedToken(t, wish.new_email);
    const proof = { token, password: PASSWORD };
    const all = await atOnce(50, () => t.deps.emailChange.confirm(NOBODY, proof));
    expect(all.filter((it) => it.status === 'fulfilled')).toHaveLength(1);
    expect(actions(t).filter((action) => action === 'email.changed')).toHaveLength(1);
  });

  test('is confirmed with the password of the account, not that of the recipient', async () => {
    await using t = await testApp();
    const [eve, ada] = [await t.signUp('eve'), await t.signUp('ada')];
    t.deps.db.client.run(`update users set password_hash = ? where id = ?`, [
      await createPasswordHasher({ concurrency: 1, memoryKib: 8 }).hash(NEW_PASSWORD),
      ada.id,
    ]);
    const lure = { new_email: 'carol@example.com', password: PASSWORD };
    await t.deps.emailChange.request(eve, lure);
    const token = await mailedToken(t, lure.new_email);
    const confirm = (password: string) =>
      outcome(t.deps.emailChange.confirm(NOBODY, { token, password }));
    expect(await confirm(NEW_PASSWORD)).toBe('bad_credentials');
    expect(stored(t, eve.id)['email']).toBe('eve@example.com');
    expect(await confirm(PASSWORD)).toBe('done');
  });

  test('limits guesses of the password as sign-in does', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await t.deps.emailChange.request(ada, wish);
    const token = await mailedToken(t, wish.new_email);
    const guess = () => outcome(t.deps.emailChange.confirm(NOBODY, { token, password: 'x' }));
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) answers.push(await guess());
    expect(answers).toEqual([...Array(5).fill('bad_credentials'), 'too_many_requests']);
  });
});
