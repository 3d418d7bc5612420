import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

interface Problem {
  code: string;
  errors: { path: string; code: string }[];
}

/** Every route of v2, with its parameters filled in. */
async function v2Routes() {
  await using t = await testApp();
  const routes = t.app.routes.filter(
    // A source's parameters are its own: test/api/v2/sources/calls.test.ts.
    ({ method, path }) =>
      path.startsWith('/api/v2/') && `${method} ${path}` !== 'GET /api/v2/sources/:name',
  );
  return routes.map(({ method, path, hooks }) => ({
    method,
    path: path.replace(/:\w+/g, '7'),
    anonymous: /public|optional|sign-up/.test(hooks.detail.access) ? 400 : 401,
  }));
}

const routes = await v2Routes();

test('the routes of v2 are found', () => {
  expect(routes.length).toBeGreaterThan(30);
});

describe.each(routes)('$method $path', ({ method, path, anonymous }) => {
  // proves: input.query, 15.3.7
  test('invalid_query for an unknown parameter, after identification only', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    const answer = await t.request(method, `${path}?nonsense=1`, { token });
    expect(answer.status).toBe(400);
    const { code, errors } = (await answer.json()) as Problem;
    expect(code).toBe('invalid_query');
    expect(errors).toMatchObject([{ path: 'query.nonsense', code: 'extra_forbidden' }]);
    expect((await t.request(method, `${path}?nonsense=1`)).status).toBe(anonymous);
    expect((await t.request('GET', '/api/v2/users/me', { token })).status).toBe(200);
  });
});

describe('a query of v2', () => {
  test('is checked after the caller: 401 and 403 win', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const path = '/api/v2/system/stats';
    expect((await t.request('GET', `${path}?x=1`)).status).toBe(401);
    expect((await t.request('GET', `${path}?x=1`, { token })).status).toBe(403);
    expect((await t.request('GET', '/api/v2/users/me?x=1', { token })).status).toBe(400);
  });

  test('is checked before the body and the path', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    const bad = await t.json('PATCH', '/api/v2/users/x?y=1', { role: 'god' }, token);
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ code: 'invalid_query' });
  });

  test('may be empty', async () => {
    await using t = await testApp();
    expect((await t.request('GET', '/api/v2/system/version?')).status).toBe(200);
  });

  test.each([
    ['__proto__=1', 'query.__proto__'],
    ['constructor', 'query.constructor'],
    ['%00=1', 'query.\u0000'],
    ['=1', 'query.'],
  ])('invalid_query for %p', async (query, path) => {
    await using t = await testApp();
    const answer = await t.request('GET', `/api/v2/system/version?${query}`);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as Problem).errors).toMatchObject([{ path }]);
  });

  test('of HEAD is checked as that of GET', async () => {
    await using t = await testApp();
    expect((await t.request('HEAD', '/api/v2/system/version?x=1')).status).toBe(400);
    expect((await t.request('HEAD', '/api/v2/system/version')).status).toBe(200);
  });

  test('lists at most 100 of its unknown parameters', async () => {
    await using t = await testApp();
    const query = Array.from({ length: 150 }, (_, index) => `p${index}=`).join('&');
    for (const path of ['/api/v2/system/version', '/api/v2/items']) {
      const answer = await t.request('GET', `${path}?${query}`);
      expect(((await answer.json()) as Problem).errors).toHaveLength(100);
    }
  });
});

test('v1 ignores unknown parameters', async () => {
  await using t = await testApp();
  expect((await t.request('GET', '/api/v1/items/?nonsense=1')).status).toBe(200);
});

test('blanks around numbers, names and times of a query do not matter', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('root', 'admin');
  for (const path of [
    '/api/v1/items/?skip=%200&limit=10%20',
    '/api/v1/items/popular?limit=%2010',
    '/api/v2/items?limit=%2010%20&count=%20exact&sort=%20-views%20,%20title&fields=%20title',
    '/api/v2/items/popular?window=%20week%20',
    '/api/v2/items/export?format=csv%20&scope=%20listed',
    '/api/v2/users?role=%20admin&is_active=true%20&sort=%20id&q=%20root%20&created_after=%202020-01-01',
    '/api/v2/audit-log?user_id=%201&action=%20user.created&from=2020-01-01%20',
  ]) {
    const answer = await t.request('GET', path, { token });
    expect([path, answer.status]).toEqual([path, 200]);
    const plain = await t.request('GET', path.replaceAll('%20', ''), { token });
    expect([path, await answer.text()]).toEqual([path, await plain.text()]);
  }
});
