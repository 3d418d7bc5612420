import { describe, expect, test } from 'bun:test';
import { sourcesApp, upstream } from '../../../sources.ts';
import { atOnce, PASSWORD } from '../../../support.ts';

const CITY = { name: 'city', type: 'string', required: true };

type Problem = {
  code: string;
  detail: string;
  errors?: { path: string; code: string; message: string }[];
};

async function problemOf(answer: Response) {
  const { code, errors = [], ...rest } = (await answer.json()) as Problem;
  return {
    status: answer.status,
    code,
    errors: errors.map((it) => `${it.path} ${it.code}`),
    ...rest,
  };
}

describe('GET /sources/:name', () => {
  test('returns the JSON of the source and whether it was cached', async () => {
    await using up = upstream(({ url }) => Response.json({ path: new URL(url).pathname }));
    await using t = await sourcesApp([up.host]);
    await t.define({
      base_url: up.url,
      path: '/v1/{city}',
      query: { units: 'metric', q: '{city}' },
      parameters: [CITY],
    });
    const answer = await t.call('up?city=a%26b=%3Fc%20d', t.ada.token);
    expect(await answer.json()).toEqual({ path: '/v1/a%26b%3D%3Fc%20d' });
    expect(up.asked[0]?.url).toBe(`${up.url}/v1/a%26b%3D%3Fc%20d?units=metric&q=a%26b%3D%3Fc%20d`);
    expect(answer.headers.toJSON()).toMatchObject({
      'content-type': 'application/json;charset=utf-8',
      'cache-control': 'no-store',
      'x-cache': 'off',
      'x-source-status': '200',
    });
  });

  test('caches responses as long as the source says, for each set of parameters', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    const query = { q: '{city}' };
    await t.define({ base_url: up.url, query, parameters: [CITY], ttl_seconds: 60 });
    const state = async (city: string) =>
      (await t.call(`up?city=${city}`, t.ada.token)).headers.get('x-cache');
    expect([await state('a'), await state('a'), await state('b')]).toEqual(['miss', 'hit', 'miss']);
    expect(up.asked).toHaveLength(2);
  });

  // proves: costly-work.outside-calls
  test('50 concurrent calls of an uncached source call it once', async () => {
    await using up = upstream(async () => {
      await Bun.sleep(50);
      return Response.json({ a: 1 });
    });
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, ttl_seconds: 60 });
    const settled = await atOnce(50, async () => (await t.call('up', t.ada.token)).json());
    expect(new Set(settled.map((it) => JSON.stringify(it)))).toEqual(
      new Set([JSON.stringify({ status: 'fulfilled', value: { a: 1 } })]),
    );
    expect(up.asked).toHaveLength(1);
  });

  test('lets the caller cache a public response for as long as it is fresh', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, ttl_seconds: 60, access: 'public' });
    const answer = await t.call('up');
    expect(answer.headers.get('cache-control')).toBe('private, max-age=60');
    expect(answer.headers.get('age')).toBe('0');
  });

  // proves: outbound-calls.the-base-url-of-a-source-get-api
  test('returns any other accepted type as plain text, which no browser executes', async () => {
    await using up = upstream(
      () => new Response('<script>1</script>', { headers: { 'content-type': 'text/html' } }),
    );
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, accept: ['text/html'] });
    const answer = await t.call('up', t.ada.token);
    expect(answer.headers.get('content-type')).toBe('text/plain;charset=utf-8');
    expect(await answer.text()).toBe('<script>1</script>');
  });

  // proves: outbound-calls.the-base-url-of-a-source-get-api
  test('forwards no header of the source', async () => {
    await using up = upstream(() =>
      Response.json(1, { headers: { 'set-cookie': 'a=b', 'x-internal': 'straw', server: 'hay' } }),
    );
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url });
    const headers = (await t.call('up', t.ada.token)).headers.toJSON();
    expect(Object.keys(headers)).not.toContain('x-internal');
    expect(JSON.stringify(headers)).not.toMatch(/a=b|hay/);
  });

  // proves: outbound-calls.the-base-url-of-a-source-get-api
  test('forwards only the client headers that the source lists', async () => {
    await using up = upstream(({ headers }) => Response.json(headers.get('accept-language')));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, forward_headers: ['accept-language'], ttl_seconds: 60 });
    const sent = { 'accept-language': 'de', cookie: 'a=b', 'x-other': '1' };
    expect(await (await t.call('up', t.ada.token, sent)).json()).toBe('de');
    const english = { 'accept-language': 'en' };
    expect(await (await t.call('up', t.ada.token, english)).json()).toBe('en');
    const names = Object.keys(up.asked[0]?.headers.toJSON() ?? {});
    expect(names.toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'accept-language',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  test('sends a body with typed values and without missing ones', async () => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({
      base_url: up.url,
      method: 'POST',
      body: { q: '{city}', n: '{n}', list: ['{on}', '{gone}'], gone: '{gone}', text: 'in {city}' },
      parameters: [
        CITY,
        { name: 'n', type: 'number' },
        { name: 'on', type: 'boolean' },
        { name: 'gone', type: 'string' },
      ],
    });
    await t.call('up?city=%22%7D%2C%22x%22%3A1&n=1.5&on=true', t.ada.token);
    const [asked] = up.asked;
    expect(asked?.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      q: '"},"x":1',
      n: 1.5,
      list: [true],
      text: 'in "},"x":1',
    });
  });
});

describe('invalid_query', () => {
  const source = {
    path: '/{city}',
    query: { n: '{n}', x: '{x}', on: '{on}', unit: '{unit}', code: '{code}' },
    headers: { 'x-name': '{x}' },
    parameters: [
      CITY,
      { name: 'n', type: 'integer', min: 1, max: 9 },
      { name: 'x', type: 'string' },
      { name: 'on', type: 'boolean' },
      { name: 'unit', type: 'enum', values: ['metric', 'imperial'] },
      { name: 'code', type: 'string', max_length: 3, pattern: '[A-Z]+' },
    ],
  };

  test.each([
    ['', 'city missing'],
    ['city=a&colour=red', 'colour extra_forbidden'],
    ['city=a&__proto__=1', '__proto__ extra_forbidden'],
    ['city=a&%0A=1', '\n extra_forbidden'],
    ['city=a&city=b', 'city repeated'],
    ['city=', 'city value_error'],
    ['city=..', 'city value_error'],
    ['city=a%2Fb', 'city value_error'],
    ['city=..%5Ca', 'city value_error'],
    ['city=a%0D%0Ab', 'city value_error'],
    ['city=a%00', 'city value_error'],
    [`city=${'x'.repeat(201)}`, 'city string_too_long'],
    ['city=a&n=1e0', 'n int_parsing'],
    ['city=a&n=1.5', 'n int_parsing'],
    ['city=a&n=0', 'n greater_than_equal'],
    ['city=a&n=10', 'n less_than_equal'],
    ['city=a&on=1', 'on bool_parsing'],
    ['city=a&unit=kelvin', 'unit enum'],
    ['city=a&code=ab', 'code string_pattern_mismatch'],
    ['city=a&code=ABCD', 'code string_too_long'],
    ['city=a&x=a%0D%0Ab:%20c', 'x value_error'],
    ['city=a&x=%C3%A9', 'x value_error'],
  ])('for ?%s, without a call', async (search, expected) => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, ...source });
    const problem = await problemOf(await t.call(`up?${search}`, t.ada.token));
    expect(problem).toMatchObject({
      status: 400,
      code: 'invalid_query',
      errors: [`query.${expected}`],
    });
    expect(up.asked).toEqual([]);
  });

  test('for a value that would make the URL too long, with the name of its parameter', async () => {
    await using t = await sourcesApp([]);
    const q = { name: 'q', type: 'string', max_length: 2048 };
    const base_url = 'https://api.example.com';
    await t.define({ base_url, query: { q: '{q}' }, parameters: [q] });
    const problem = await problemOf(await t.call(`up?q=${'x'.repeat(2_040)}`, t.ada.token));
    expect(problem.errors).toEqual(['query.q string_too_long']);
  });

  // proves: input.parameter-of-a-source
  test('names all problems', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com', ...source });
    const { errors } = await problemOf(await t.call('up?n=x&on=x', t.ada.token));
    expect(errors).toEqual(['query.city missing', 'query.n int_parsing', 'query.on bool_parsing']);
  });
});

describe('a source that fails', () => {
  const failing = async (answer: () => Response | Promise<Response>, source: object = {}) => {
    await using up = upstream(answer);
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, retries: 0, ...source });
    const reply = await t.call('up', t.ada.token);
    const text = await reply.clone().text();
    expect(text).not.toContain(up.host);
    return { ...(await problemOf(reply)), text };
  };

  test('upstream_failed has the status of the response and nothing of its body', async () => {
    const problem = await failing(() => new Response('hay in the cogs', { status: 500 }));
    expect(problem).toMatchObject({ status: 502, code: 'upstream_failed' });
    expect(problem.errors).toEqual(['source bad_status']);
    expect(problem.detail).toBe('Source up responded with an error: 500');
    expect(problem.text).not.toContain('cogs');
  });

  test('upstream_timeout when it does not respond in time', async () => {
    const never = () => new Promise<Response>(() => {});
    const problem = await failing(never, { timeout_ms: 100 });
    expect(problem).toMatchObject({ status: 504, code: 'upstream_timeout' });
  });

  test('upstream_failed for a response that is too large or not JSON', async () => {
    const large = await failing(() => Response.json('x'.repeat(2_000)), { max_bytes: 1024 });
    expect(large).toMatchObject({ status: 502, errors: ['source too_large'] });
    const html = await failing(
      () => new Response('<p>', { headers: { 'content-type': 'text/html' } }),
    );
    expect([html.status, html.code]).toEqual([502, 'upstream_failed']);
  });

  test('circuit_open with Retry-After after too many failures', async () => {
    await using up = upstream(() => new Response('', { status: 500 }));
    await using t = await sourcesApp([up.host]);
    const breaker = { failures: 2, open_seconds: 30 };
    await t.define({ base_url: up.url, retries: 0, breaker });
    for (let i = 0; i < 2; i++) await t.call('up', t.ada.token);
    const answer = await t.call('up', t.ada.token);
    const wait = Number(answer.headers.get('retry-after'));
    expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'circuit_open' });
    expect(wait).toBeWithin(1, 31);
    expect(up.asked).toHaveLength(2);
  });

  test('upstream_failed for a host name that resolves to a private address', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'http://localhost' });
    const problem = await problemOf(await t.call('up', t.ada.token));
    expect(problem).toMatchObject({ status: 502, errors: ['source address_refused'] });
  });
});

// proves: permissions.source
describe('who may call a source', () => {
  const MATRIX = {
    public: { nobody: 200, session: 200, 'external:read': 200, 'items:read': 200, wrong: 401 },
    user: { nobody: 401, session: 200, 'external:read': 200, 'items:read': 200, wrong: 401 },
    scope: { nobody: 401, session: 200, 'external:read': 200, 'items:read': 403, wrong: 401 },
  };

  // proves: permissions.source
  test.each(Object.entries(MATRIX))('of %s', async (access, expected) => {
    await using up = upstream(() => Response.json(1));
    await using t = await sourcesApp([up.host]);
    await t.define({ base_url: up.url, access });
    const tokenWith = async (...scopes: ('external:read' | 'items:read')[]) => {
      const { data } = await t.ada.client.api.v2.tokens.post({
        password: PASSWORD,
        name: 'x',
        scopes,
      });
      return data?.token;
    };
    const tokens = {
      nobody: undefined,
      session: t.ada.token,
      'external:read': await tokenWith('external:read'),
      'items:read': await tokenWith('items:read'),
      wrong: 'never-or-no-more',
    };
    const found: Record<string, number> = {};
    for (const [who, token] of Object.entries(tokens)) {
      found[who] = (await t.call('up', token)).status;
    }
    expect(found).toEqual(expected);
  });

  test('does not matter for unknown or disabled sources: not_found for everyone', async () => {
    await using t = await sourcesApp([]);
    await t.define({ base_url: 'https://api.example.com', is_enabled: false, access: 'public' });
    for (const token of [undefined, t.ada.token, t.root.token]) {
      for (const name of ['up', 'no', 'Not%20a%20name', '..%2Fup']) {
        expect((await t.call(name, token)).status).toBe(404);
      }
    }
  });
});

test('too_many_requests beyond the calls per minute of an account', async () => {
  await using up = upstream(() => Response.json(1));
  await using t = await sourcesApp([up.host], { limitExternal: 2 });
  await t.define({ base_url: up.url });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await t.call('up', t.ada.token)).status);
  expect(statuses).toEqual([200, 200, 429]);
  expect((await t.call('up', t.root.token)).status).toBe(200);
});
