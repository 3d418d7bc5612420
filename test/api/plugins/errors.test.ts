import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

describe('an unknown path', () => {
  test('is 404 in the form of its version', async () => {
    await using t = await testApp();
    expect(await (await t.request('GET', '/api/v1/nope')).json()).toEqual({ detail: 'Not Found' });
    const problem = await t.request('GET', '/api/v2/nope');
    expect(problem.headers.get('content-type')).toBe('application/problem+json');
    expect(await problem.json()).toMatchObject({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      instance: '/api/v2/nope',
      code: 'not_found',
      request_id: problem.headers.get('x-request-id'),
    });
  });
});

describe('a known path with another method', () => {
  test.each([
    ['PATCH', '/api/v1/items/1', 'DELETE, GET, HEAD, PUT'],
    ['DELETE', '/api/v1/users/', 'GET, HEAD, POST'],
    ['OPTIONS', '/api/v1/items', 'GET, HEAD, POST'],
    ['POST', '/health/live', 'GET, HEAD'],
    ['PROPFIND', '/api/v1/items/', 'GET, HEAD, POST'],
    ['PATCH', '/api/v2/items/export', 'GET, HEAD'],
    ['DELETE', '/api/v2/items/export/', 'GET, HEAD'],
    ['PATCH', '/api/v2/items/import', 'POST'],
    ['GET', '/api/v2/items/batch', 'POST'],
    ['HEAD', '/api/v2/items/batch', 'POST'],
    ['DELETE', '/api/v2/items/popular', 'GET, HEAD'],
    ['PUT', '/api/v1/items/popular', 'GET, HEAD'],
    ['DELETE', '/api/v2/auth/passkeys/login', 'POST'],
    ['GET', '/api/v2/sources/fetch', 'POST'],
    ['PATCH', '/api/v2/sources/fetch', 'POST'],
    ['PUT', '/api/v2/users/me', 'DELETE, GET, HEAD, PATCH'],
  ])('%s %s is 405 with Allow', async (method, path, allow) => {
    await using t = await testApp();
    const answer = await t.request(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
  });
});

test('each literal path is 405 for each method that is not in the document', async () => {
  await using t = await testApp();
  const document = (await (await t.request('GET', '/openapi.json')).json()) as {
    paths: Record<string, object>;
  };
  const literal = Object.entries(document.paths).filter(([path]) => !path.includes('{'));
  expect(literal.length).toBeGreaterThan(20);
  for (const [path, operations] of literal) {
    const known = Object.keys(operations).map((it) => it.toUpperCase());
    const allow = known.flatMap((it) => (it === 'GET' ? ['GET', 'HEAD'] : [it])).toSorted();
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (known.includes(method)) continue;
      const { status, headers } = await t.request(method, path);
      expect([method, path, status, headers.get('allow')]).toEqual([
        method,
        path,
        405,
        allow.join(', '),
      ]);
    }
  }
});

describe('HEAD', () => {
  test.each(['/api/v1/items/', '/api/v1/items/popular', '/health/ready', '/docs'])(
    'works for %s and sends no body',
    async (path) => {
      await using t = await testApp();
      const answer = await t.request('HEAD', path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe('');
    },
  );
});

describe('X-Request-Id', () => {
  test('is on every response and new each time', async () => {
    await using t = await testApp();
    const paths = ['/api/v1/items/', '/api/v1/items/9', '/api/v1/users/', '/nope', '/health/live'];
    const ids = await Promise.all(
      paths.map(async (path) => (await t.request('GET', path)).headers.get('x-request-id')),
    );
    expect(ids).not.toContain(null);
    expect(new Set(ids).size).toBe(paths.length);
  });

  // proves: input.x-request-id, 1.2.1
  test('repeats that of the request if it is valid', async () => {
    await using t = await testApp();
    const send = async (id: string) =>
      (await t.request('GET', '/nope', { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      );
    expect(await send('trace-2026.11_22')).toBe('trace-2026.11_22');
    expect(await send('<script>alert(1)</script>')).not.toContain('script');
    for (const length of [7, 129]) expect(await send('x'.repeat(length))).toHaveLength(36);
  });
});

describe('an error of our own', () => {
  // proves: logs.lines-of-the-process-json-or-text-on, 16.3.4, 16.5.1
  test('is logged with the request id and reveals nothing to the client', async () => {
    await using t = await testApp();
    t.deps.db.client.run('drop table items');
    const answer = await t.request('GET', '/api/v1/items/');
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ detail: 'Internal server error' });
    const [line] = t.logLines;
    expect(line).toContain('no such table: items');
    expect(line).toContain(answer.headers.get('x-request-id') ?? '?');
  });
});

describe('a full disk', () => {
  // proves: 16.5.3
  test('is storage_full for writes, and reads go on', async () => {
    await using t = await testApp();
    const { client, token } = await t.signUp('ada');
    const pages = t.deps.db.client.query('pragma page_count').values()[0]?.[0];
    t.deps.db.client.run(`pragma max_page_count = ${Number(pages)}`);
    const body = { title: 'a', description: 'x'.repeat(9000) };
    const answer = await t.json('POST', '/api/v1/items/', body, token);
    expect(answer.status).toBe(507);
    expect(await answer.json()).toEqual({ detail: 'The disk is full' });
    expect((await client.api.v1.items.get()).status).toBe(200);
    t.deps.db.client.run('pragma max_page_count = 100000');
    expect((await t.json('POST', '/api/v1/items/', body, token)).status).toBe(200);
  });
});
