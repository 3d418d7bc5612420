import { describe, expect, test } from 'bun:test';
import { queued } from '../smtp.ts';
import { openSession, PASSWORD, type TestApp, testApp } from '../support.ts';

const STRONG = 'beets-and-barley';
const NFC = 'j\u00fcrgen@b\u00fccher.example';
/** Spellings of one address. */
const SPELLINGS = [
  NFC,
  NFC.normalize('NFD'),
  ` ${NFC}\t`,
  'J\u00dcRGEN@B\u00dcCHER.example',
  'j\u00fcrgen@xn--bcher-kva.example',
  'j\u00fcrgen@XN--BCHER-KVA.example',
];
const NAMES = ['ren\u00e9e', 'rene\u0301e', '  ren\u00e9e ', 'REN\u00c9E'];

/** An account with the address and the name in their plain form. */
async function withAccount() {
  const t = await testApp();
  const account = { email: NFC, username: 'ren\u00e9e', password: PASSWORD };
  return Object.assign(t, { user: await t.deps.users.create(account) });
}

const register = (t: TestApp, email: string, username: string) =>
  t.json('POST', '/api/v2/auth/register', { email, username, password: STRONG });

describe.each(SPELLINGS)('the address %j', (email) => {
  test('signs in to the account', async () => {
    await using t = await withAccount();
    const v2 = await t.json('POST', '/api/v2/auth/login', { login: email, password: PASSWORD });
    const body = new URLSearchParams({ username: email, password: PASSWORD });
    const v1 = await t.request('POST', '/api/v1/login/access-token', { body });
    expect([v2.status, v1.status]).toEqual([200, 200]);
  });

  test('cannot be used by another account', async () => {
    await using t = await withAccount();
    const admin = await t.signUp('root', 'admin');
    const account = { email, username: 'other', password: STRONG };
    const answers = await Promise.all([
      register(t, email, 'other'),
      t.json('POST', '/api/v1/users/', account),
      t.json('POST', '/api/v2/users', account, admin.token),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([409, 400, 409]);
  });

  test('receives one password reset email for the account', async () => {
    await using t = await withAccount();
    await t.json('POST', '/api/v2/auth/password/forgot', { login: email });
    expect(await queued(t)).toMatchObject([{ recipient: NFC }]);
  });

  test('can be the username only of its own account', async () => {
    await using t = await withAccount();
    const other = await t.signUp('other');
    const token = await openSession(t.deps, t.user);
    const rename = (by: string) => t.json('PATCH', '/api/v2/users/me', { username: email }, by);
    expect((await rename(other.token)).status).toBe(422);
    expect((await rename(token)).status).toBe(200);
  });
});

test('an address is stored in NFC, without the blanks around it', async () => {
  await using t = await testApp();
  const answer = await register(t, ` ${NFC.normalize('NFD')}\n`, 'ada');
  expect(await answer.json()).toMatchObject({ account: { email: NFC } });
});

describe.each(NAMES)('the username %j', (username) => {
  test('signs in', async () => {
    await using t = await withAccount();
    const sent = { login: username, password: PASSWORD };
    expect((await t.json('POST', '/api/v2/auth/login', sent)).status).toBe(200);
  });

  test('is taken for another account, by sign-up and by renaming', async () => {
    await using t = await withAccount();
    const other = await t.signUp('other');
    const admin = await t.signUp('root', 'admin');
    const answers = await Promise.all([
      register(t, 'b@example.com', username),
      t.json('PATCH', '/api/v2/users/me', { username }, other.token),
      t.json('PATCH', `/api/v2/users/${other.id}`, { username }, admin.token),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
  });

  test('is stored in NFC, without the blanks around it', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('other');
    const answer = await t.json('PATCH', '/api/v2/users/me', { username }, token);
    expect(await answer.json()).toMatchObject({ username: username.normalize('NFC').trim() });
  });
});

test('an address change sends the email to the stored form', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('ada');
  const wish = { new_email: ` ${NFC.normalize('NFD')} `, password: PASSWORD };
  const { status } = await t.json('POST', '/api/v2/users/me/email', wish, token);
  expect([status, await queued(t)]).toMatchObject([202, [{ recipient: NFC }]]);
});
