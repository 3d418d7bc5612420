import { describe, expect, test } from 'bun:test';
import { sourcesApp, upstream } from '../../../sources.ts';
import { PASSWORD } from '../../../support.ts';

type Result = {
  status: number | null;
  data?: unknown;
  error?: { code: string; message: string };
  cache: string | null;
  attempts: number;
};
type App = Awaited<ReturnType<typeof sourcesApp>>;

const echo = ({ url }: Request) => Response.json(new URL(url).pathname);
const CITY = { path: '/{city}', parameters: [{ name: 'city', type: 'string', required: true }] };

async function fetchAll(t: App, calls: unknown[], token = t.ada.token) {
  const answer = await t.json('POST', '/api/v2/sources/fetch', { calls }, token);
  const { results = [] } = (await answer.json()) as { results?: Result[] };
  return { status: answer.status, results };
}

describe('POST /sources/fetch', () => {
  test('preserves the digits of numbers', async () => {
    const json = '{"id":1234567890123456789,"huge":1e400}';
    const headers = { 'content-type': 'application/json' };
    await using up = upstream(() => new Response(json, { headers }));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, access: 'user' });
    const calls = [{ source: 'up' }];
    const fetched = await t.json('POST', '/api/v2/sources/fetch', { calls }, t.ada.token);
    expect(await fetched.text()).toContain(`"data":${json}`);
    // The cached response preserves them too.
    for (const _ of [1, 2]) expect(await (await t.call('up', t.ada.token)).text()).toBe(json);
  });

  test.each([[5], ['x'], [[]], [false]])('validation_failed for params of %p', async (params) => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com' });
    const problemOf = async (path: string, body: object) => {
      const answer = await t.json('POST', `/api/v2/sources/${path}`, body, t.root.token);
      const { status, errors } = (await answer.json()) as { status: number; errors: object[] };
      return { status, errors };
    };
    const problem = (path: string) => ({
      status: 422,
      errors: [{ path, code: 'dict_type', message: 'Input should be a valid dictionary' }],
    });
    expect(await problemOf('up/dry-run', { params })).toEqual(problem('body.params'));
    expect(await problemOf('fetch', { calls: [{ source: 'up', params }] })).toEqual(
      problem('body.calls.0.params'),
    );
  });

  // proves: 16.5.2
  test('returns one result for each call in their order, and a failed call affects no other', async () => {
    await using up = upstream(async (request) => {
      if (request.url.endsWith('/slow')) await Bun.sleep(30);
      return request.url.endsWith('/bad') ? new Response('hay', { status: 500 }) : echo(request);
    });
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, retries: 0, ...CITY });
    const { status, results } = await fetchAll(t, [
      { source: 'up', params: { city: 'slow' } },
      { url: `${up.url}/direct` },
      { source: 'up', params: { city: 'bad' } },
      { source: 'up', params: {} },
      { source: 'none' },
      { url: 'http://169.254.169.254/' },
      { url: 'file:///etc/hostname' },
      { source: 'up', params: { city: 'last' } },
    ]);
    expect(status).toBe(200);
    const outcomes = results.map(({ status, data, error, cache, attempts }) => [
      status,
      data ?? error?.code,
      cache,
      attempts,
    ]);
    expect(outcomes).toEqual([
      [200, '/slow', 'off', 1],
      [200, '/direct', 'off', 1],
      [500, 'bad_status', null, 1],
      [null, 'invalid_parameters', null, 0],
      [null, 'not_found', null, 0],
      [null, 'address_refused', null, expect.any(Number)],
      [null, 'url_refused', null, 0],
      [200, '/last', 'off', 1],
    ]);
    expect(results[2]?.error?.message).toBe('Source up responded with an error: 500');
    expect(results[3]?.error?.message).toBe('city: Field required');
  });

  test('makes equal calls once', async () => {
    await using up = upstream(echo);
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, ...CITY });
    const call = { source: 'up', params: { city: 'a' } };
    const { results } = await fetchAll(t, [
      call,
      { url: `${up.url}/b` },
      call,
      { url: `${up.url}/b` },
    ]);
    expect(results.map(({ data }) => data)).toEqual(['/a', '/b', '/a', '/b']);
    expect(up.asked).toHaveLength(2);
  });

  test('failures of one account do not open the circuit for another account or for a source', async () => {
    await using up = upstream((request) =>
      request.url.endsWith('/bad') ? new Response('', { status: 500 }) : echo(request),
    );
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, retries: 0 });
    const bad = () => fetchAll(t, [{ url: `${up.url}/bad` }]);
    for (let i = 0; i < 5; i++) await bad();
    expect((await bad()).results[0]?.error?.code).toBe('circuit_open');
    const own = await fetchAll(t, [{ source: 'up' }]);
    expect(own.results[0]?.status).toBe(200);
    const other = await fetchAll(t, [{ url: up.url }], t.root.token);
    expect(other.results[0]?.status).toBe(200);
  });

  test('takes typed JSON values and no text for a number', async () => {
    await using up = upstream(({ url }) => Response.json(new URL(url).search));
    await using t = await sourcesApp([up.host]);
    const parameters = [
      { name: 'n', type: 'integer' },
      { name: 'on', type: 'boolean' },
    ];
    await t.define({ base_url: up.url, query: { n: '{n}', on: '{on}' }, parameters });
    const { results } = await fetchAll(t, [
      { source: 'up', params: { n: 3, on: false } },
      { source: 'up', params: { n: '3' } },
      { source: 'up', params: { on: 1 } },
    ]);
    expect(results.map(({ data, error }) => data ?? error?.code)).toEqual([
      '?n=3&on=false',
      'invalid_parameters',
      'invalid_parameters',
    ]);
  });

  test('applies the access rule of each source', async () => {
    await using up = upstream(echo);
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, access: 'scope' });
    const { data } = await t.ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['external:read'],
    });
    const { results } = await fetchAll(t, [{ source: 'up' }], data?.token);
    expect(results[0]?.status).toBe(200);
  });

  test('is for signed-in users and for tokens with external:read', async () => {
    await using t = await sourcesApp([]);
    const body = { calls: [{ source: 'none' }] };
    expect((await t.json('POST', '/api/v2/sources/fetch', body)).status).toBe(401);
    const { data } = await t.ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['items:read'],
    });
    expect((await fetchAll(t, body.calls, data?.token)).status).toBe(403);
  });

  // proves: limits.outside-calls-in-a-minute-per-account-or
  test('too_many_requests counts every call before any is made', async () => {
    await using up = upstream(echo);
    await using t = await sourcesApp([up.host], { limitExternal: 3 });
    const calls = (count: number) => Array.from({ length: count }, () => ({ url: up.url }));
    expect((await fetchAll(t, calls(2))).status).toBe(200);
    expect((await fetchAll(t, calls(2))).status).toBe(429);
    expect(up.asked).toHaveLength(1);
  });

  test.each([
    ['none', []],
    ['too many', Array.from({ length: 65 }, () => ({ source: 'up' }))],
    ['neither a source nor a URL', [{}]],
    ['both', [{ source: 'up', url: 'https://example.com' }]],
    ['a URL with parameters', [{ url: 'https://example.com', params: {} }]],
    ['an unknown field', [{ source: 'up', headers: {} }]],
  ])('validation_failed for %s', async (_, calls) => {
    await using t = await sourcesApp([]);
    expect((await fetchAll(t, calls)).status).toBe(422);
  });
});
