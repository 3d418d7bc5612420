import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

const APP = 'https://app.example.com';
const listed = { config: { corsOrigins: [APP, 'http://localhost:5173'] } };
const corsHeaders = (answer: Response) =>
  [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
const preflight = (origin: string, method = 'POST') => ({
  headers: { origin, 'access-control-request-method': method },
});

describe('a listed origin', () => {
  test('can read responses, with credentials', async () => {
    await using t = await testApp(listed);
    const { headers } = await t.request('GET', '/api/v1/items/', { headers: { origin: APP } });
    expect(headers.get('access-control-allow-origin')).toBe(APP);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('Origin');
    expect(headers.get('access-control-expose-headers')?.split(', ')).toEqual([
      'X-Request-Id',
      'X-Cache',
      'X-Source-Status',
      'Age',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'Location',
      'Link',
      'ETag',
      'Accept-Patch',
      'Idempotency-Replayed',
    ]);
  });

  test('can also read errors and cached responses', async () => {
    await using t = await testApp(listed);
    for (const path of ['/nowhere', '/api/v2/users/me', '/api/v1/items/popular']) {
      const { headers } = await t.request('GET', path, { headers: { origin: APP } });
      expect([path, headers.get('access-control-allow-origin')]).toEqual([path, APP]);
    }
  });

  test('gets the methods and headers of a known path by preflight', async () => {
    await using t = await testApp(listed);
    const answer = await t.request('OPTIONS', '/api/v1/items/7', preflight(APP, 'PUT'));
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
    expect(answer.headers.get('access-control-allow-methods')).toBe('DELETE, GET, HEAD, PUT');
    expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(answer.headers.get('access-control-max-age')).toBe('600');
    expect(answer.headers.get('vary')).toBe('Origin');
    expect(answer.headers.get('x-request-id')).toHaveLength(36);
  });

  test('gets nothing about an unknown path', async () => {
    await using t = await testApp(listed);
    expect((await t.request('OPTIONS', '/nowhere', preflight(APP))).status).toBe(404);
  });

  test('needs the preflight header', async () => {
    await using t = await testApp(listed);
    const answer = await t.request('OPTIONS', '/api/v1/items/', { headers: { origin: APP } });
    expect(answer.status).toBe(405);
  });
});

// proves: cookies-and-other-origins.anyone-who-controls-a-listed-origin-can-act, 3.4.2
describe('any other origin', () => {
  test.each([
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://APP.example.com',
    'https://app.example.com/',
    'null',
    '*',
    '',
  ])('%p gets no CORS header', async (origin) => {
    await using t = await testApp(listed);
    const read = await t.request('GET', '/api/v1/items/', { headers: { origin } });
    expect(corsHeaders(read)).toEqual([]);
    expect(read.headers.get('vary')).toBe('Origin');
    const asked = await t.request('OPTIONS', '/api/v1/items/', preflight(origin));
    expect([asked.status, corsHeaders(asked)]).toEqual([405, []]);
  });
});

// proves: cookies-and-other-origins.anyone-who-controls-a-listed-origin-can-act, 3.4.2
test('without a list CORS is off', async () => {
  await using t = await testApp();
  const answer = await t.request('GET', '/api/v1/items/', { headers: { origin: APP } });
  expect([corsHeaders(answer), answer.headers.get('vary')]).toEqual([[], null]);
  expect((await t.request('OPTIONS', '/api/v1/items/', preflight(APP))).status).toBe(405);
});
