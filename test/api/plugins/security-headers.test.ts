import { describe, expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../../support.ts';

const EXPECTED = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

function pick(answer: Response, names: string[]) {
  return Object.fromEntries(names.map((name) => [name, answer.headers.get(name)]));
}

// proves: 3.2.1, 3.4.3, 3.4.4, 3.4.5, 3.4.6
describe('security headers', () => {
  test.each([
    ['GET', '/api/v1/items/', 200],
    ['GET', '/api/v1/items/popular', 200],
    ['GET', '/api/v2/system/version', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/health/ready', 200],
    ['GET', '/api/v2/users/me', 401],
    ['GET', '/nowhere', 404],
    ['PATCH', '/api/v1/items/', 405],
    ['GET', '/api/v1/items/x', 422],
  ])('are on %s %s, which is %d', async (method, path, status) => {
    await using t = await testApp();
    const answer = await t.request(method, path);
    expect(answer.status).toBe(status);
    expect(pick(answer, Object.keys(EXPECTED))).toEqual(EXPECTED);
  });

  // proves: 3.4.4
  test('are also on a cached response', async () => {
    await using t = await testApp();
    await t.request('GET', '/api/v1/items/popular');
    const answer = await t.request('GET', '/api/v1/items/popular');
    expect(answer.headers.get('x-cache')).toBe('hit');
    expect(pick(answer, Object.keys(EXPECTED))).toEqual(EXPECTED);
  });

  test('of the documentation pages take precedence', async () => {
    await using t = await testApp();
    const { headers } = await t.request('GET', '/docs');
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('cache-control')).toBe('public, no-cache');
    expect(headers.get('x-frame-options')).toBe('DENY');
  });

  // proves: 3.4.1, 12.2.1
  test('require https only if the public URL uses it', async () => {
    for (const publicUrl of ['', 'http://localhost:3000']) {
      await using t = await testApp({ config: { publicUrl } });
      const { headers } = await t.request('GET', '/health/live');
      expect(headers.get('strict-transport-security')).toBeNull();
    }
    await using t = await testApp({ config: { publicUrl: 'https://api.example.com' } });
    const { headers } = await t.request('GET', '/health/live');
    expect(headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
  });
});

describe('no-store', () => {
  // proves: data.personal-account, data.personal-items, 14.2.2, 14.3.2
  test('is on every response to an account, and on refusals without one', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    for (const [path, status] of [
      ['/api/v2/users/me', 200],
      ['/api/v1/users/1', 200],
      ['/api/v2/system/stats', 403],
      ['/api/v1/users/x', 422],
    ] as const) {
      const answer = await t.request('GET', path, { token });
      expect([path, answer.status, answer.headers.get('cache-control')]).toEqual([
        path,
        status,
        'no-store',
      ]);
    }
    const refused = await t.request('GET', '/api/v2/users/me');
    expect(refused.headers.get('cache-control')).toBe('no-store');
  });

  // proves: 14.3.2
  test('is on every response with a token', async () => {
    await using t = await testApp();
    const email = 'ada@example.com';
    const credentials = { login: 'ada', password: 'straw-bed-77' };
    const answers = [
      await t.json('POST', '/api/v2/auth/register', {
        email,
        username: 'ada',
        password: 'straw-bed-77',
      }),
      await t.json('POST', '/api/v2/auth/login', credentials),
      await t.request('POST', '/api/v1/login/access-token', {
        body: new URLSearchParams({ username: 'ada', password: 'straw-bed-77' }),
      }),
    ];
    const { token } = await t.signUp('bob');
    const made = { name: 'script', scopes: ['items:write'], password: PASSWORD };
    answers.push(await t.json('POST', '/api/v2/tokens', made, token));
    for (const answer of answers) {
      expect([answer.ok, answer.headers.get('cache-control')]).toEqual([true, 'no-store']);
    }
  });

  test('is not on public responses', async () => {
    await using t = await testApp();
    for (const path of ['/api/v1/items/', '/api/v1/items/popular', '/health/live']) {
      expect((await t.request('GET', path)).headers.get('cache-control')).toBeNull();
    }
  });
});

// proves: 3.2.1
describe('the content type', () => {
  test.each([
    ['GET', '/api/v1/items/', 200, 'application/json'],
    ['GET', '/api/v1/items/popular', 200, 'application/json'],
    ['GET', '/openapi.json', 200, 'application/json'],
    ['GET', '/health/ready', 200, 'application/json;charset=utf-8'],
    ['GET', '/docs', 200, 'text/html; charset=utf-8'],
    ['GET', '/docs/swagger-ui.css', 200, 'text/css; charset=utf-8'],
    ['GET', '/docs/swagger-initializer.js', 200, 'text/javascript; charset=utf-8'],
    ['GET', '/api/v1/items/x', 422, 'application/json'],
    ['GET', '/api/v1/users/', 401, 'application/json'],
    ['PATCH', '/api/v1/items/', 405, 'application/json'],
    ['GET', '/nowhere', 404, 'application/json'],
    ['GET', '/api/v2/nowhere', 404, 'application/problem+json'],
    ['POST', '/api/v2/auth/login', 415, 'application/problem+json'],
    // proves: 4.1.1
  ])('of %s %s, which is %d, is %s', async (method, path, status, type) => {
    await using t = await testApp();
    const answer = await t.request(method, path, method === 'POST' ? { body: 'x' } : {});
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, type]);
  });
});
