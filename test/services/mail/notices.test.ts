import { describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import { queued } from '../../smtp.ts';
import { PASSWORD, type TestApp, testApp } from '../../support.ts';

const NEXT = 'oats-and-barley-9';

/** Whom the mails that wait go to, and what of. */
const told = async (t: TestApp) =>
  (await queued(t)).map(({ recipient, subject }) => [recipient, subject]);

/** An account whose address is proved. */
async function proved(t: TestApp) {
  const ada = await t.signUp('ada');
  t.deps.db.client.run('update users set email_verified_at = created_at');
  return ada;
}

/** Turns an authenticator on and gives its recovery codes. */
async function turnOn(t: TestApp, ada: Awaited<ReturnType<typeof proved>>) {
  const { secret } = await t.deps.totps.begin(ada, PASSWORD);
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  return (await t.deps.totps.confirm(ada, code)).recovery_codes;
}

describe('the owner is notified', () => {
  test('when the password changes', async () => {
    await using t = await testApp();
    const { client } = await proved(t);
    const change = (current_password: string) =>
      client.api.v2.users.me.password.put({ current_password, new_password: NEXT });
    expect((await change('wrong-password')).status).toBe(401);
    expect(await told(t)).toEqual([]);
    expect((await change(PASSWORD)).status).toBe(204);
    expect(await told(t)).toEqual([['ada@example.com', 'Your password was changed']]);
  });

  test('when the authenticator is turned on or off and when a recovery code is used', async () => {
    await using t = await testApp();
    const ada = await proved(t);
    const [code = ''] = await turnOn(t, ada);
    const login = { login: 'ada', password: PASSWORD, code };
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(200);
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(401);
    await t.deps.totps.disable(ada, PASSWORD);
    expect((await told(t)).map(([, subject]) => subject)).toEqual([
      'The authenticator of your account was turned on',
      'A recovery code of your account was used',
      'The authenticator of your account was turned off',
    ]);
  });

  // proves: 7.5.1
  test('when a passkey is removed', async () => {
    await using t = await testApp();
    const ada = await proved(t);
    t.deps.db.client.run(
      `insert into passkeys (user_id, credential_id, public_key, counter, transports, name,
      created_at) values (?, 'c', x'00', 0, '[]', 'laptop', '2026-11-22T16:00:00.000Z')`,
      [ada.id],
    );
    await t.deps.passkeys.remove(ada, 1);
    expect(await told(t)).toEqual([['ada@example.com', 'A passkey of your account was removed']]);
  });
});

test('a notice names the account and what to do, without a link', async () => {
  await using t = await testApp();
  const ada = await proved(t);
  await t.deps.account.changePassword(ada, PASSWORD, NEXT);
  const [mail] = await queued(t);
  expect(mail?.text).toContain('account ada at Hutch.');
  expect(mail?.text).toContain('If that was not you, reset your password immediately');
  expect(String(mail?.text) + mail?.html).not.toMatch(/https?:|href/);
});

test('an unconfirmed address gets 5 notices an hour, a confirmed one all', async () => {
  await using t = await testApp();
  const ada = await t.signUp('ada');
  const act = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        t.deps.db.write((tx) => t.deps.notices.send(tx, ada.id, 'password.changed')),
      ),
    );
  await act(8);
  expect(await queued(t)).toHaveLength(5);
  t.deps.db.client.run('update users set email_verified_at = created_at');
  await act(8);
  expect(await queued(t)).toHaveLength(13);
});

test('a failed action and an action on a missing account send no notice', async () => {
  await using t = await testApp();
  const ada = await proved(t);
  const failed = t.deps.db.write(async (tx) => {
    await t.deps.notices.send(tx, ada.id, 'passkey.added');
    throw new Error('rolled back');
  });
  expect(await failed.catch(String)).toBe('Error: rolled back');
  await t.deps.db.write((tx) => t.deps.notices.send(tx, 99, 'passkey.added'));
  expect(await queued(t)).toEqual([]);
});
