import { describe, expect, test } from 'bun:test';
import { actorFor } from '../../../src/core/actor.ts';
import { createMailLimits } from '../../../src/services/mail/limits.ts';
import { mailboxOf } from '../../../src/utils/text/email.ts';
import { queued } from '../../smtp.ts';
import { nobodyAt, PASSWORD, type TestApp, testApp } from '../../support.ts';

const VICTIM = 'victim@example.com';
const SPELLINGS = [VICTIM, 'VICTIM@example.com', 'v.ictim@Example.com', 'victim+shop@example.com'];

/** Accounts of their own, each asking from an address of its own. */
function callers(t: TestApp, count: number) {
  return Promise.all(Array.from({ length: count }, (_, index) => t.signUp(`eve${index}`)));
}
const nobody = (index: number) => nobodyAt(`198.51.100.${index + 1}`);

const askChange = (t: TestApp, id: number, index: number, new_email: string) =>
  t.deps.emailChange
    .request(actorFor({ id, role: 'user' }, nobody(index).origin), {
      new_email,
      password: PASSWORD,
    })
    .catch((error) => error.code);

const recipients = async (t: TestApp) => (await queued(t)).map(({ recipient }) => recipient);

describe('a mailbox', () => {
  // proves: limits.mails-to-one-mailbox-in-an-hour-from
  test('gets 5 mails an hour for address changes, from any number of accounts', async () => {
    await using t = await testApp();
    const eves = await callers(t, 8);
    const ends = await Promise.all(
      eves.map(({ id }, index) => askChange(t, id, index, SPELLINGS[index % 4] ?? VICTIM)),
    );
    expect(ends.filter((code) => code === 'too_many_requests')).toHaveLength(3);
    expect(await recipients(t)).toHaveLength(5);
  });

  test('gets 5 mails an hour for sign-ups', async () => {
    await using t = await testApp();
    for (let index = 0; index < 8; index++) {
      const email = `victim+${index}@example.com`;
      const account = { email, username: `eve${index}`, password: PASSWORD };
      await t.deps.signUp.create(nobody(index), account);
      expect(await t.deps.users.findByEmail(email)).toMatchObject({ email });
    }
    expect(await recipients(t)).toHaveLength(5);
  });

  // proves: limits.mails-to-one-mailbox-in-an-hour-from
  test('gets 5 mails an hour of all kinds together while it is not confirmed', async () => {
    await using t = await testApp({ config: { emailVerification: 'required' } });
    const eves = await callers(t, 3);
    const account = { email: VICTIM, username: 'victim', password: PASSWORD };
    await t.deps.signUp.create(nobody(0), account);
    await t.deps.signUp.create(nobody(1), account);
    for (const [index, { id }] of eves.entries()) await askChange(t, id, index, VICTIM);
    await t.deps.passwordRecovery.request(nobody(5), VICTIM);
    await t.deps.passwordRecovery.idle();
    expect(await recipients(t)).toHaveLength(5);
  });

  test('with another name is counted apart', async () => {
    await using t = await testApp();
    const eves = await callers(t, 6);
    for (const [index, { id }] of eves.entries()) await askChange(t, id, index, VICTIM);
    const [eve] = eves;
    await askChange(t, eve?.id ?? 0, 9, 'other@example.com');
    expect((await recipients(t)).at(-1)).toBe('other@example.com');
  });
});

// proves: limits.mails-to-other-addresses-requested-by-one-account
test('an account can request 5 address changes an hour, to any mailboxes', async () => {
  await using t = await testApp();
  const [eve] = await callers(t, 1);
  for (let index = 0; index < 8; index++) {
    await askChange(t, eve?.id ?? 0, index, `victim${index}@example.com`);
  }
  expect(await recipients(t)).toHaveLength(5);
});

// proves: limits.mails-to-a-verified-address-in-an-hour
test('strangers who use up a mailbox do not prevent a reset by its owner', async () => {
  await using t = await testApp();
  const eves = await callers(t, 6);
  const owner = { email: VICTIM, username: 'victim', password: PASSWORD };
  await t.deps.users.create(owner);
  t.deps.db.client.run('UPDATE users SET email_verified_at = created_at WHERE username = ?', [
    'victim',
  ]);
  for (const [index, { id }] of eves.entries()) await askChange(t, id, index, VICTIM);
  await t.deps.passwordRecovery.request(nobody(9), 'victim');
  await t.deps.passwordRecovery.idle();
  expect((await queued(t)).at(-1)?.subject).toBe('Reset your password');
});

// proves: limits.mails-to-a-verified-address-in-an-hour
test('a confirmed address gets 20 notices an hour', async () => {
  await using t = await testApp();
  const ada = await t.signUp('ada');
  t.deps.db.client.run('UPDATE users SET email_verified_at = created_at');
  for (let index = 0; index < 25; index++) {
    await t.deps.db.write((tx) => t.deps.notices.send(tx, ada.id, 'password.changed'));
  }
  expect(await recipients(t)).toHaveLength(20);
});

test('the limits count a bounded number of mailboxes', () => {
  const limits = createMailLimits(1, 100);
  for (let index = 0; index < 1000; index++) limits.countMailbox(`a${index}@example.com`);
  expect(limits.counted()).toBe(100);
  expect(limits.countMailbox('a999@example.com')).toBe(false);
});

describe('the key of a mailbox', () => {
  test.each([
    'Victim@Example.com',
    'victim+tag@example.com',
    'v.i.c.t.i.m@example.com',
    'ｖictim@example.com',
    // proves: limits.mails-to-one-mailbox-in-an-hour-from
  ])('%s is that of victim@example.com', (email) => {
    expect(mailboxOf(email)).toBe('victim@example.com');
  });

  test('is the same for both spellings of a domain', () => {
    expect(mailboxOf('a@bücher.example')).toBe(mailboxOf('a@xn--bcher-kva.example'));
  });

  test.each(['+@example.com', '+tag@example.com', 'victim@example.org', 'victims@example.com'])(
    '%s is another',
    (email) => {
      expect(mailboxOf(email)).not.toBe('victim@example.com');
      expect(mailboxOf(email)).not.toStartWith('@');
    },
  );
});
