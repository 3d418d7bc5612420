import { describe, expect, test } from 'bun:test';
import { SECRET, sourcesApp, upstream } from '../../../sources.ts';

const BASE = { base_url: 'https://api.example.com' };
const CITY = { name: 'city', type: 'string', required: true };

type Problem = { code: string; errors?: { path: string; code: string; message: string }[] };

/** The problems of a source, with their paths. */
async function problemsOf(source: object, onlyHosts: string[] = []) {
  await using t = await sourcesApp([], { externalOnlyHosts: onlyHosts });
  const body = { name: 'up', ...BASE, ...source };
  const answer = await t.json('POST', '/api/v2/sources', body, t.root.token);
  expect(answer.status).toBe(422);
  const { errors = [] } = (await answer.json()) as Problem;
  return errors.map(({ path, code }) => `${path} ${code}`);
}

describe('POST /sources', () => {
  test('defines a source, with defaults for omitted fields', async () => {
    await using t = await sourcesApp([]);
    const answer = await t.json('POST', '/api/v2/sources', { name: 'up', ...BASE }, t.root.token);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/v2/sources/up/definition');
    expect(answer.headers.get('etag')).toBe('"v1"');
    expect(await answer.json()).toMatchObject({
      name: 'up',
      ...BASE,
      method: 'GET',
      access: 'user',
      is_enabled: true,
      accept: ['application/json'],
      ttl_seconds: 0,
      breaker: { failures: 5, open_seconds: 30 },
      forward_headers: [],
      refresh: null,
      version: 1,
    });
  });

  test('conflict for a name that is taken', async () => {
    await using t = await sourcesApp([]);
    await t.define(BASE);
    const answer = await t.json('POST', '/api/v2/sources', { name: 'up', ...BASE }, t.root.token);
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([409, 'conflict']);
  });

  test.each(['', 'fetch', 'Weather', 'a b', 'a/b', 'x'.repeat(65), 'ä'])(
    'validation_failed for the name %p',
    async (name) => {
      expect(await problemsOf({ name })).toEqual([expect.stringMatching(/^body\.name /)]);
    },
  );

  test.each([
    ['ftp://example.com', 'url_refused'],
    ['https://user:pass@example.com', 'url_refused'],
    ['https://example.com:8443', 'url_refused'],
    ['http://127.0.0.1', 'address_refused'],
    ['http://[::1]', 'address_refused'],
    ['http://169.254.169.254/latest', 'address_refused'],
    ['http://0x7f.1', 'address_refused'],
    ['https://example.com/?a=1', 'value_error'],
    ['https://example.com/#a', 'value_error'],
    ['nonsense', 'url_refused'],
    // proves: input.source-admins
  ])('validation_failed for the base URL %s', async (base_url, code) => {
    expect(await problemsOf({ base_url })).toContain(`body.base_url ${code}`);
  });

  test('validation_failed for a host that the settings do not allow', async () => {
    expect(await problemsOf({}, ['other.example.com'])).toEqual(['body.base_url url_refused']);
  });

  test.each([
    [{ path: 'v1' }, 'body.path value_error'],
    [{ path: '/a/../b' }, 'body.path value_error'],
    [{ path: '/a/%2E%2e/b' }, 'body.path value_error'],
    [{ path: '/a?b' }, 'body.path value_error'],
    [{ path: '/a b' }, 'body.path value_error'],
    [{ path: '/{City}' }, 'body.path value_error'],
    [{ path: '/{city}' }, 'body.path unknown_parameter'],
    [{ path: '/{city}', parameters: [{ name: 'city', type: 'string' }] }, 'body.path value_error'],
    [{ parameters: [CITY] }, 'body.parameters.0 unused_parameter'],
    [{ query: { q: '{city' } }, 'body.query.q value_error'],
    [{ query: { q: '{city}' } }, 'body.query.q unknown_parameter'],
    [{ query: { '\n': [1] } }, 'body.query.\n value_error'],
    [{ headers: { '\n': 'x' } }, 'body.headers.\n value_error'],
    [{ query: { q: { secret: null } } }, 'body.query.q missing'],
    [{ headers: { host: 'other' } }, 'body.headers.host value_error'],
    [{ headers: { 'X-Key': 'a' } }, 'body.headers.X-Key value_error'],
    [{ headers: { 'x-key': 'a\r\nb: c' } }, 'body.headers.x-key value_error'],
    [{ headers: { 'x-key': { secret: 'a\nb' } } }, 'body.headers.x-key value_error'],
    [{ headers: { via: '1.1 hay' } }, 'body.headers.via value_error'],
    [{ headers: { 'x-key': 'x'.repeat(8_190) } }, 'body.headers.x-key value_error'],
    [{ headers: { 'content-type': 'text/xml' } }, 'body.headers.content-type value_error'],
    [{ forward_headers: ['authorization'] }, 'body.forward_headers.0 header_refused'],
    [{ forward_headers: ['cookie'] }, 'body.forward_headers.0 header_refused'],
    [{ body: {} }, 'body.body value_error'],
    [{ method: 'POST', body: { a: '{x}' } }, 'body.body unknown_parameter'],
    [{ method: 'POST', body: { a: 'x'.repeat(20_000) } }, 'body.body too_long'],
    [{ method: 'POST', ttl_seconds: 5 }, 'body.ttl_seconds value_error'],
    [{ stale_seconds: 5 }, 'body.stale_seconds value_error'],
    [{ refresh: '* * * * *' }, 'body.refresh value_error'],
    [{ refresh: '* * * * *', ttl_seconds: 0 }, 'body.refresh value_error'],
    [{ refresh: '0 0 30 2 *', ttl_seconds: 5, stale_seconds: 5 }, 'body.refresh value_error'],
    [{ refresh: 'x', ttl_seconds: 5, stale_seconds: 5 }, 'body.refresh value_error'],
    [{ accept: ['nonsense'] }, 'body.accept.0 value_error'],
    [{ timeout_ms: 1 }, 'body.timeout_ms value_error'],
    [{ colour: 1 }, 'body.colour extra_forbidden'],
    [{ parameters: [{ ...CITY, maxlength: 1 }] }, 'body.parameters.0.maxlength extra_forbidden'],
    // proves: input.source-admins, outbound-calls.the-base-url-of-a-source-get-api
  ])('validation_failed for %j', async (source, problem) => {
    expect(await problemsOf(source)).toContain(problem);
  });

  test('malformed_body for a body that is nested too deeply', async () => {
    await using t = await sourcesApp([]);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const answer = await t.request('POST', '/api/v2/sources', {
      token: t.root.token,
      headers: { 'content-type': 'application/json' },
      body: `{"name":"up","base_url":"https://api.example.com","method":"POST","body":${deep}}`,
    });
    expect(await answer.json()).toMatchObject({ status: 400, code: 'malformed_body' });
  });

  test.each([
    [{ pattern: '(a+)+' }, 'pattern value_error'],
    [{ type: 'enum' }, 'values missing'],
    [{ values: ['a'] }, 'values value_error'],
    [{ type: 'integer', min: 2, max: 1 }, 'max value_error'],
    [{ type: 'integer', required: false, default: 'x' }, 'default int_parsing'],
    [{ required: false, default: 'toolong', max_length: 3 }, 'default string_too_long'],
    [{ default: 'never used' }, 'default value_error'],
  ])('validation_failed for a parameter with %j', async (rules, problem) => {
    const source = { path: '/{city}', parameters: [{ ...CITY, ...rules }] };
    expect(await problemsOf(source)).toContain(`body.parameters.0.${problem}`);
  });

  test('validation_failed for refresh parameters that a call would refuse', async () => {
    const kept = { ttl_seconds: 5, stale_seconds: 5, refresh: '* * * * *' };
    const source = { path: '/{city}', parameters: [CITY], ...kept };
    expect(await problemsOf(source)).toEqual(['body.refresh_parameters.0.city missing']);
  });
});

describe('GET /sources', () => {
  test('pages through the definitions by name', async () => {
    await using t = await sourcesApp([]);
    for (const name of ['c', 'a', 'b']) await t.define({ ...BASE, name });
    const page = async (search: string) => {
      const answer = await t.request('GET', `/api/v2/sources${search}`, { token: t.root.token });
      return (await answer.json()) as {
        data: { name: string }[];
        page: { next_cursor: string | null };
      };
    };
    const first = await page('?limit=2');
    expect(first.data.map(({ name }) => name)).toEqual(['a', 'b']);
    const second = await page(`?limit=2&cursor=${first.page.next_cursor}`);
    expect(second).toMatchObject({ data: [{ name: 'c' }], page: { next_cursor: null } });
  });

  test('invalid_cursor for a cursor of another list', async () => {
    await using t = await sourcesApp([]);
    const answer = await t.request('GET', '/api/v2/sources?cursor=x', { token: t.root.token });
    expect(answer.status).toBe(400);
  });
});

describe('a definition', () => {
  const path = '/api/v2/sources/up';

  test('changes only in the given fields; queries and headers change by name', async () => {
    await using t = await sourcesApp([]);
    await t.define({ ...BASE, query: { a: '1', b: '2' }, headers: { 'x-a': '1' } });
    const changes = { query: { b: null, c: '3' }, timeout_ms: 500 };
    const answer = await t.json('PATCH', path, changes, t.root.token);
    expect(await answer.json()).toMatchObject({
      query: { a: '1', c: '3' },
      headers: { 'x-a': '1' },
      timeout_ms: 500,
      version: 2,
    });
    expect(answer.headers.get('etag')).toBe('"v2"');
  });

  test('keeps its version if nothing changes', async () => {
    await using t = await sourcesApp([]);
    await t.define(BASE);
    const answer = await t.json('PATCH', path, { access: 'user', retries: 1 }, t.root.token);
    expect(await answer.json()).toMatchObject({ version: 1 });
  });

  test('is not sent again to a client that has it', async () => {
    await using t = await sourcesApp([]);
    await t.define(BASE);
    const headers = { 'if-none-match': '"v1"' };
    const init = { token: t.root.token, headers };
    expect((await t.request('GET', `${path}/definition`, init)).status).toBe(304);
  });

  test('version_mismatch for a change or a deletion of another version', async () => {
    await using t = await sourcesApp([]);
    await t.define(BASE);
    const headers = { 'if-match': '"v2"', 'content-type': 'application/json' };
    const init = { token: t.root.token, headers };
    const patch = await t.request('PATCH', path, { ...init, body: '{"retries":0}' });
    expect(patch.status).toBe(412);
    expect((await t.request('DELETE', path, init)).status).toBe(412);
  });

  test('is deleted together with its statistics', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url });
    await t.call('up', t.ada.token);
    await t.deps.sourceStats.flush();
    const { token } = t.root;
    expect((await t.request('DELETE', path, { token })).status).toBe(204);
    expect((await t.request('GET', `${path}/definition`, { token })).status).toBe(404);
    expect((await t.call('up', t.ada.token)).status).toBe(404);
    const left = t.deps.db.client.query('select count(*) as n from source_calls').get();
    expect(left).toEqual({ n: 0 });
  });

  test('takes effect at once when it changes', async () => {
    await using up = upstream(({ url }) => Response.json(new URL(url).pathname));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, path: '/old', ttl_seconds: 60 });
    expect(await (await t.call('up', t.ada.token)).json()).toBe('/old');
    await t.json('PATCH', path, { path: '/new' }, t.root.token);
    expect(await (await t.call('up', t.ada.token)).json()).toBe('/new');
  });

  // proves: logs.audit-log-actor-action-target-origin-time-request
  test('leaves audit entries with the actor and the changed fields, but without secrets', async () => {
    await using t = await sourcesApp([]);
    await t.define({ ...BASE, headers: { 'x-key': { secret: SECRET } } });
    await t.json('PATCH', path, { headers: { 'x-key': { secret: `${SECRET}-2` } } }, t.root.token);
    await t.request('DELETE', path, { token: t.root.token });
    const answer = await t.request('GET', '/api/v2/audit-log', { token: t.root.token });
    const text = await answer.text();
    const { data } = JSON.parse(text) as { data: { action: string }[] };
    const of = data.filter(({ action }) => action.startsWith('source.'));
    const actor_id = t.root.id;
    expect(of).toMatchObject([
      { action: 'source.deleted', actor_id, details: { source: 'up' } },
      { action: 'source.updated', actor_id, details: { source: 'up', fields: ['headers'] } },
      { action: 'source.created', actor_id, details: { fields: ['base_url', 'headers'] } },
    ]);
    expect(text).not.toContain(SECRET);
  });

  // proves: permissions.source
  test('is for admins only', async () => {
    await using t = await sourcesApp([]);
    await t.define(BASE);
    for (const [method, at, body] of [
      ['GET', ''],
      ['POST', '', { name: 'b', ...BASE }],
      ['GET', '/up/definition'],
      ['PATCH', '/up', { retries: 0 }],
      ['DELETE', '/up'],
      ['POST', '/up/dry-run', {}],
      ['GET', '/up/stats'],
    ] as const) {
      const init = body && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      };
      const as = (token?: string) =>
        t.request(method, `/api/v2/sources${at}`, { ...init, ...(token && { token }) });
      expect([at, (await as()).status]).toEqual([at, 401]);
      expect([at, (await as(t.ada.token)).status]).toEqual([at, 403]);
    }
  });
});

describe('POST /sources/:name/dry-run', () => {
  test('shows the request that a call would send, without sending it', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({
      base_url: `${up.url}/base/`,
      path: '/{city}',
      query: { q: '{city}', days: '{days}', lang: '{lang}', key: { secret: SECRET } },
      headers: { 'x-key': { secret: SECRET }, 'x-days': '{days}' },
      parameters: [
        CITY,
        { name: 'days', type: 'integer', default: 3 },
        { name: 'lang', type: 'enum', values: ['de', 'en'] },
      ],
    });
    const dryRun = async (params: object) => {
      return t.json('POST', '/api/v2/sources/up/dry-run', { params }, t.root.token);
    };
    expect(await (await dryRun({ city: 'São Paulo?' })).json()).toEqual({
      method: 'GET',
      url: `${up.url}/base/S%C3%A3o%20Paulo%3F?q=S%C3%A3o%20Paulo%3F&days=3&key=***`,
      headers: { 'x-key': '***', 'x-days': '3' },
    });
    const wrong = await dryRun({ days: '3', lang: 'fr' });
    expect(wrong.status).toBe(422);
    const { errors } = (await wrong.json()) as Problem;
    expect(errors?.map(({ path }) => path)).toEqual([
      'body.params.city',
      'body.params.days',
      'body.params.lang',
    ]);
    expect(up.asked).toEqual([]);
  });
});
