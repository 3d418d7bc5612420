import { describe, expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../../support.ts';

describe('a repeated value', () => {
  // proves: input.query, 15.3.7
  test('in a query is refused in v2, and in v1 the last one counts', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    for (const query of ['limit=1&limit=2', 'user_id=1&user_id=2', 'action=a&action=b']) {
      expect((await t.request('GET', `/api/v2/audit-log?${query}`, { token })).status).toBe(400);
    }
    for (const title of ['a', 'b']) await t.json('POST', '/api/v1/items/', { title }, token);
    const list = await t.request('GET', '/api/v1/items/?limit=2&limit=1');
    expect(await list.json()).toHaveLength(1);
  });

  // proves: 15.3.7
  test('in a body counts as the last one, for validation and use', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const sendForm = (body: string) =>
      t.request('POST', '/api/v1/login/access-token', {
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    const right = `password=${PASSWORD}`;
    expect((await sendForm(`username=ada&password=wrong-one&${right}`)).status).toBe(200);
    expect((await sendForm(`username=ada&${right}&password=wrong-one`)).status).toBe(400);
    const { token } = await t.signUp('bob');
    const made = await t.request('POST', '/api/v1/items/', {
      body: `{"title":"${'x'.repeat(201)}","title":"b"}`,
      headers: { 'content-type': 'application/json' },
      token,
    });
    expect(await made.json()).toMatchObject({ title: 'b' });
  });

  // proves: 15.3.7
  test('in the Authorization header identifies nobody', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const headers = new Headers({ authorization: `Bearer ${token}` });
    headers.append('authorization', `Bearer ${token}`);
    expect((await t.request('GET', '/api/v2/users/me', { headers })).status).toBe(401);
  });

  // proves: data.secret-hashed, 14.2.1
  test('outside its place is ignored: a token in the query or body', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const path = `/api/v1/users/1?access_token=${token}&token=${token}`;
    expect((await t.request('GET', path)).status).toBe(401);
    const body = { title: 'a', access_token: token };
    expect((await t.json('POST', '/api/v1/items/', body)).status).toBe(401);
  });
});
