import { expect, test } from 'bun:test';
import { tempDir } from '../../support.ts';
import { ADMIN, hutch, serve } from '../hutch.ts';
import { timeOfPost } from '../times.ts';
import { expectSameTime } from './indistinguishable.ts';

const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };

// proves: sign-in-methods.whether-an-address-has-an-account
test('the time of a refused sign-in does not reveal whether the account exists', async () => {
  await using server = await serve(tempDir(), { env });
  const url = `${server.url}/api/v2/auth/login`;
  const refuse = (login: string) => () =>
    timeOfPost(url, { login, password: 'not-the-password' }, 401);
  await expectSameTime(refuse(ADMIN.username), refuse('nobody'));
}, 180_000);

// proves: sign-in-methods.a-sign-up-reveals-it-by-default-409
test('the time of a sign-up by mail does not reveal whether the email or the username is taken', async () => {
  const required = { ...env, HUTCH_EMAIL_VERIFICATION: 'required' };
  await using server = await serve(tempDir(), { env: required });
  const url = `${server.url}/api/v2/auth/register`;
  let accounts = 0;
  const signUp = (taken: { email?: string; username?: string }) => () => {
    accounts++;
    const fresh = { email: `new${accounts}@example.com`, username: `new${accounts}` };
    return timeOfPost(url, { ...fresh, password: 'straw-and-carrots-1', ...taken }, 202);
  };
  await expectSameTime(signUp({ email: ADMIN.env.HUTCH_ADMIN_EMAIL }), signUp({}));
  await expectSameTime(signUp({ username: ADMIN.username }), signUp({}));
}, 600_000);

/** Hashes from other systems, with low costs to keep the test short. */
const IMPORTED = {
  bcrypt: () => Bun.password.hashSync('straw-bed-77', { algorithm: 'bcrypt', cost: 7 }),
  argon2: () =>
    Bun.password.hashSync('straw-bed-77', {
      algorithm: 'argon2id',
      memoryCost: 8192,
      timeCost: 2,
    }),
};

test.each(['bcrypt', 'argon2'] as const)(
  // proves: sign-in-methods.whether-an-address-has-an-account, cryptography.imported-hashes
  'the time of a refused sign-in does not reveal whether an account has an imported %s hash',
  async (kind) => {
    const dir = tempDir();
    const lines = Object.entries(IMPORTED).map(([username, hash]) =>
      JSON.stringify({ email: `${username}@example.com`, username, password_hash: hash() }),
    );
    await Bun.write(`${dir}/accounts.jsonl`, lines.join('\n'));
    const args = ['users', 'import', `${dir}/accounts.jsonl`, '--data-dir', dir];
    expect((await hutch(args)).status).toBe(0);
    await using server = await serve(dir, { env });
    const url = `${server.url}/api/v2/auth/login`;
    const refuse = (login: string) => () =>
      timeOfPost(url, { login, password: 'not-the-password' }, 401);
    await expectSameTime(refuse(kind), refuse('nobody'));
  },
  600_000,
);

// proves: sign-in-methods.whether-an-address-has-an-account
test('the time of a password reset request does not reveal whether the account exists', async () => {
  await using server = await serve(tempDir(), { env });
  const url = `${server.url}/api/v2/auth/password/forgot`;
  const forgot = (login: string) => () => timeOfPost(url, { login }, 202);
  await expectSameTime(forgot(ADMIN.username), forgot('nobody'));
}, 180_000);
