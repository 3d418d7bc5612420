import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

const account = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };

describe('a body of v2', () => {
  // proves: input.body-unknown-fields, 1.5.2, 8.2.3, 15.3.3
  test('is refused for each field that is not known, by its name', async () => {
    await using t = await testApp();
    const body = { ...account, role: 'admin', is_admin: true };
    const answer = await t.json('POST', '/api/v2/auth/register', body);
    expect(answer.status).toBe(422);
    const msg = { code: 'extra_forbidden', message: 'Extra inputs are not permitted' };
    expect(await answer.json()).toMatchObject({
      code: 'validation_failed',
      errors: [
        { path: 'body.role', ...msg },
        { path: 'body.is_admin', ...msg },
      ],
    });
  });

  // proves: 15.3.6
  test.each(['__proto__', 'constructor', 'toString'])('is refused for %s', async (name) => {
    await using t = await testApp();
    const text = JSON.stringify(account).replace('{', `{"${name}":{"x":1},`);
    const headers = { 'content-type': 'application/json' };
    const answer = await t.request('POST', '/api/v2/auth/register', { body: text, headers });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ errors: [{ path: `body.${name}` }] });
  });

  test('names no more than a hundred of them', async () => {
    await using t = await testApp();
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]));
    const answer = await t.json('POST', '/api/v2/auth/register', body);
    expect(((await answer.json()) as { errors: unknown[] }).errors).toHaveLength(100);
  });

  test('is not looked at before its sender is let in', async () => {
    await using t = await testApp();
    const answer = await t.json('POST', '/api/v2/tokens', { nonsense: 1 });
    expect(answer.status).toBe(401);
  });
});

// proves: input.body-unknown-fields
test('a body of v1 may have fields that are not known', async () => {
  await using t = await testApp();
  const answer = await t.json('POST', '/api/v1/users/', { ...account, role: 'admin' });
  expect(answer.status).toBe(200);
  expect((await t.deps.users.findByLogin('ada'))?.role).toBe('user');
});
