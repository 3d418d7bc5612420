import { describe, expect, test } from 'bun:test';
import { FORM_ROUTES } from '../../src/client/request.ts';
import { createClient } from '../../src/client.ts';
import { PASSWORD, testApp } from '../support.ts';

const ITEM = {
  id: 7,
  title: '2026-11-22T16:00:00.000Z',
  description: '22/11/2026',
  url: null,
  views: 0,
  owner_id: 1,
  created_at: '2026-11-22T16:00:00.000Z',
  updated_at: '2026-11-22T16:00:00.000Z',
};

/** A fetch that records its requests and responds with `body`. */
function recorder(body: unknown = ITEM, init: ResponseInit = {}) {
  const requests: Request[] = [];
  const fetch = async (request: Request) => {
    requests.push(request);
    return Response.json(body, init);
  };
  return { requests, fetch };
}

describe('createClient', () => {
  test('sends no request on its own', () => {
    const { requests, fetch } = recorder();
    createClient('http://127.0.0.1:3000', { fetch });
    expect(requests).toEqual([]);
  });

  test('uses the address of the server, with or without a trailing slash', async () => {
    const { requests, fetch } = recorder();
    await createClient('http://127.0.0.1:3000', { fetch }).api.v1.items.get();
    await createClient('https://example.com/hutch/', { fetch }).api.v1.items.get();
    expect(requests.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:3000/api/v1/items',
      'https://example.com/hutch/api/v1/items',
    ]);
  });

  test('adds path parameters and the query to the URL', async () => {
    const { requests, fetch } = recorder();
    const { v1 } = createClient('http://localhost', { fetch }).api;
    await v1.items({ item_id: 7 }).get();
    await v1.items.get({ query: { skip: 2, limit: 5 } });
    await v1.external.get({ query: { url: ['https://a.test/?x=1&y=2', 'https://b.test/'] } });
    expect(requests.map(({ url }) => url.slice('http://localhost/api/v1/'.length))).toEqual([
      'items/7',
      'items?skip=2&limit=5',
      'external?url=https%3A%2F%2Fa.test%2F%3Fx%3D1%26y%3D2&url=https%3A%2F%2Fb.test%2F',
    ]);
  });

  test('adds a new Idempotency-Key to each v2 POST, unless the call has one', async () => {
    const { requests, fetch } = recorder();
    const { v1, v2 } = createClient('http://localhost', { fetch }).api;
    const item = { title: 'A warm hutch' };
    await v2.items.post(item);
    await v2.items.post(item);
    await v2.items.post(item, { headers: { 'Idempotency-Key': 'mine' } });
    await v2.items({ item_id: 7 }).patch(item);
    await v2.items.get({ query: {} });
    await v1.items.post(item);
    const [first, second, own, ...others] = requests.map((it) => it.headers.get('idempotency-key'));
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(own).toBe('mine');
    expect(others).toEqual([null, null, null]);
  });

  test('creates one item if fetch repeats the request after a lost response', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const twice = async (request: Request) => {
      const { url, method, headers } = request;
      const body = await request.text();
      await t.app.handle(new Request(url, { method, headers, body }));
      return t.app.handle(new Request(url, { method, headers, body }));
    };
    const { items } = createClient('http://localhost', { token, fetch: twice }).api.v2;
    const created = await items.post({ title: 'once' });
    expect(created.status).toBe(201);
    expect(created.response?.headers.get('idempotency-replayed')).toBe('true');
    const { data } = await t.clientFor(token).api.v2.items.get({ query: {} });
    expect(data?.data).toHaveLength(1);
  });

  test('sends a string token with each request', async () => {
    const { requests, fetch } = recorder();
    const { items } = createClient('http://localhost', { fetch, token: 'abc' }).api.v1;
    await items.get();
    await items.post({ title: 'A warm hutch' });
    expect(requests.map(authorization)).toEqual(['Bearer abc', 'Bearer abc']);
  });

  test('calls a token function for each request', async () => {
    const { requests, fetch } = recorder();
    const tokens = [undefined, 'first', '', 'second'];
    const token = () => tokens.shift();
    const { items } = createClient('http://localhost', { fetch, token }).api.v1;
    for (let count = 0; count < 4; count++) await items.get();
    expect(requests.map(authorization)).toEqual([null, 'Bearer first', null, 'Bearer second']);
  });

  test('sends the headers of the client and those of one call', async () => {
    const { requests, fetch } = recorder();
    const headers = { 'x-one': '1', 'x-two': '1' };
    const { items } = createClient('http://localhost', { fetch, headers, token: 'abc' }).api.v1;
    await items.get({ headers: { 'x-two': '2', authorization: 'Bearer other' } });
    await items.get();
    const [called, plain] = requests.map((request) => Object.fromEntries(request.headers));
    expect(called).toMatchObject({ 'x-one': '1', 'x-two': '2', authorization: 'Bearer other' });
    expect(plain).toEqual({ 'x-one': '1', 'x-two': '1', authorization: 'Bearer abc' });
  });

  test('sends JSON, but a form to sign in', async () => {
    const { requests, fetch } = recorder();
    const { items, login } = createClient('http://localhost', { fetch }).api.v1;
    await items.post({ title: 'A warm hutch' });
    await login['access-token'].post({ username: 'ada', password: 'a&b=c d+é' });
    const [json, form] = requests;
    expect(json?.headers.get('content-type')).toBe('application/json');
    expect(await json?.json()).toEqual({ title: 'A warm hutch' });
    expect(form?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect([...new URLSearchParams(await form?.text())]).toEqual([
      ['username', 'ada'],
      ['password', 'a&b=c d+é'],
    ]);
  });

  test('does not convert times or similar strings', async () => {
    const { fetch } = recorder();
    const { data } = await createClient('http://localhost', { fetch })
      .api.v1.items({ item_id: 7 })
      .get();
    expect(data).toEqual(ITEM);
  });

  test('returns an error typed by its status, and does not throw', async () => {
    await using t = await testApp();
    const { data, error, status, response } = await t.client.api.v1.items.post({ title: '' });
    expect([data, status, response?.status]).toEqual([null, 401, 401]);
    const detail: string | undefined = error?.status === 401 ? error.value.detail : undefined;
    expect(detail).toBe('Not authenticated');
    const ada = await t.signUp('ada');
    const { error: invalid } = await ada.client.api.v1.items.post({ title: '' });
    const problems = invalid?.status === 422 ? invalid.value.detail : [];
    expect(problems.map(({ loc, type }) => [loc, type])).toEqual([
      [['body', 'title'], 'string_too_short'],
    ]);
  });

  test('throws for an error status if requested', async () => {
    await using t = await testApp();
    const call = t.client.api.v1.items({ item_id: 7 }).get({ throwHttpError: true });
    await expect(call).rejects.toMatchObject({
      status: 404,
      value: { detail: 'Item 7 not found' },
    });
  });

  test('uses the global fetch unless another one is set', async () => {
    await using t = await testApp();
    const { server } = t.app.listen({ hostname: '127.0.0.1', port: 0, development: false });
    const { users, login } = createClient(`http://127.0.0.1:${server?.port}`).api.v1;
    await users.post({ email: 'ada@example.com', username: 'ada', password: PASSWORD });
    const { data } = await login['access-token'].post({ username: 'ada', password: PASSWORD });
    expect(data?.token_type).toBe('bearer');
    await server?.stop();
  });
});

function authorization(request: Request): string | null {
  return request.headers.get('authorization');
}

describe('the code of a problem', () => {
  test('is one of the codes that its route declares for the status', async () => {
    await using t = await testApp();
    const { error } = await t.client.v2.auth.login.post({ login: 'nobody', password: PASSWORD });
    if (error?.status !== 401) throw new Error(`Not 401: ${error?.message}`);
    // A missing or additional code fails the type check.
    switch (error.value.code) {
      case 'bad_credentials':
        break;
      case 'second_factor_required':
        throw new Error('There is no such account');
      default:
        error.value.code satisfies never;
    }
    expect(error.code).toBe('bad_credentials');
  });
});

test('the client knows the routes that accept a form', async () => {
  await using t = await testApp();
  const document = await (await t.request('GET', '/openapi.json')).json();
  const { paths } = document as {
    paths: Record<string, { post?: { requestBody?: { content: object } } }>;
  };
  const forms = Object.entries(paths).filter(
    ([, { post }]) => 'application/x-www-form-urlencoded' in (post?.requestBody?.content ?? {}),
  );
  expect(forms.map(([path]) => path).sort()).toEqual([...FORM_ROUTES].sort());
});
