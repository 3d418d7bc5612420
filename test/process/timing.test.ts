import { test } from 'bun:test';
import { tempDir } from '../support.ts';
import { ADMIN, serve } from './hutch.ts';
import { expectSameTime, timeOfPost } from './indistinguishable.ts';

const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };

test('the time of a refused sign-in does not tell whether the account exists', async () => {
  await using server = await serve(tempDir(), { env });
  const url = `${server.url}/api/v2/auth/login`;
  const refuse = (login: string) => () =>
    timeOfPost(url, { login, password: 'not-the-password' }, 401);
  await expectSameTime(refuse(ADMIN.username), refuse('nobody'));
}, 180_000);

test('the time of a sign-up by mail does not tell whether the email or the username is taken', async () => {
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

test('the time of an answer to a forgotten password does not tell whether there is an account', async () => {
  await using server = await serve(tempDir(), { env });
  const url = `${server.url}/api/v2/auth/password/forgot`;
  const forgot = (login: string) => () => timeOfPost(url, { login }, 202);
  await expectSameTime(forgot(ADMIN.username), forgot('nobody'));
}, 180_000);
