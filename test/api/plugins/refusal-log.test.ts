import { describe, expect, test } from 'bun:test';
import { PASSWORD, type TestApp, testApp } from '../../support.ts';

const HASTY = 'not-the-password';

/** The refusals that the log tells of. */
const refusals = (t: TestApp) =>
  t.logLines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'Refused.');

describe('a refusal that may be an attack', () => {
  // proves: data.personal-account, logs.lines-of-the-process-json-or-text-on, 16.2.1, 16.3.2
  test('is logged with its path, reason, account and request id', async () => {
    await using t = await testApp({ logLevel: 'warn' });
    const { id, token } = await t.signUp('ada');
    const answer = await t.request('GET', '/api/v2/users?q=hush', { token });
    expect(answer.status).toBe(403);
    expect(refusals(t)).toMatchObject([
      {
        level: 'warn',
        code: 'forbidden',
        method: 'GET',
        path: '/api/v2/users',
        user_id: id,
        request_id: answer.headers.get('x-request-id'),
      },
    ]);
  });

  // proves: logs.logged-refusals-unauthenticated-forbidden-insufficient-scope-csrf-refused, 16.2.5
  // proves: 16.3.1, 16.3.2
  test('is logged for each kind of refusal, without input', async () => {
    await using t = await testApp({ logLevel: 'warn' });
    const ada = await t.signUp('ada');
    const { data } = await ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'a',
      scopes: ['items:read'],
    });
    await t.request('GET', '/api/v2/users/me');
    await t.request('GET', '/api/v2/users/me', { token: 'nobody-has-this-one' });
    await t.request('GET', '/api/v2/users/me', { token: data?.token ?? '' });
    await t.json('POST', '/api/v2/auth/login', { login: 'ada', password: HASTY });
    await t.json('POST', '/api/v2/auth/login', {
      login: 'ada',
      password: PASSWORD,
      transport: 'cookie',
    });
    await t.json('POST', '/api/v2/auth/password/reset', { token: HASTY, new_password: HASTY });
    await t.json('PUT', '/api/v1/items/1', { title: 'a' }, ada.token);
    expect(refusals(t).map(({ code }) => code)).toEqual([
      'unauthenticated',
      'unauthenticated',
      'insufficient_scope',
      'bad_credentials',
      'csrf_refused',
      'invalid_action_token',
    ]);
    const text = t.logLines.join('');
    for (const secret of [HASTY, 'nobody-has-this-one', data?.token ?? '']) {
      expect(text).not.toContain(secret);
    }
  });

  // proves: 15.3.4
  test("names the client's address as reported by a trusted proxy", async () => {
    await using t = await testApp({
      logLevel: 'warn',
      config: { trustedProxies: ['127.0.0.1'] },
    });
    t.app.listen({ port: 0, hostname: '127.0.0.1', development: false });
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' };
    await fetch(`${t.app.server?.url.origin}/api/v2/users/me`, { headers });
    await t.app.stop(true);
    expect(refusals(t)).toMatchObject([{ code: 'unauthenticated', address: '203.0.113.7' }]);
  });

  // proves: limits.log-lines-about-refusals, 16.3.3
  test('is limited, so that a flood of requests does not flood the log', async () => {
    await using t = await testApp({ logLevel: 'warn' });
    for (let index = 0; index < 30; index++) await t.request('GET', '/api/v2/users/me');
    expect(refusals(t)).toHaveLength(20);
  });
});

// proves: logs.logged-refusals-unauthenticated-forbidden-insufficient-scope-csrf-refused
test('a mere mistake is not logged', async () => {
  await using t = await testApp({ logLevel: 'warn' });
  const { token } = await t.signUp('ada');
  await t.request('GET', '/nowhere');
  await t.request('GET', '/api/v1/items/9');
  await t.json('POST', '/api/v1/items/', { title: '' }, token);
  expect(t.logLines).toEqual([]);
});
