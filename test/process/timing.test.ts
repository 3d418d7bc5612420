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

test('the time of an answer to a forgotten password does not tell whether there is an account', async () => {
  await using server = await serve(tempDir(), { env });
  const url = `${server.url}/api/v2/auth/password/forgot`;
  const forgot = (login: string) => () => timeOfPost(url, { login }, 202);
  await expectSameTime(forgot(ADMIN.username), forgot('nobody'));
}, 180_000);
