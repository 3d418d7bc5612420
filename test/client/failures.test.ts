import { describe, expect, test } from 'bun:test';
import { createClient, HutchError, orThrow } from '../../src/client.ts';
import { testApp } from '../support.ts';

/** A client of a server that always sends the same response. */
const clientFor = (body: ConstructorParameters<typeof Response>[0], init: ResponseInit = {}) =>
  createClient('http://localhost', { retries: 0, fetch: async () => new Response(body, init) }).v2;

const failing = (cause: unknown) =>
  createClient('http://localhost', { retries: 0, fetch: () => Promise.reject(cause) }).v2;

const json = { 'content-type': 'application/json' };
const problem = {
  type: 'about:blank',
  title: 'Not found',
  status: 404,
  detail: 'Item 7 not found',
  instance: '/api/v2/items/7',
  code: 'not_found',
  request_id: 'r-1',
};

describe('a response that does not match its headers', () => {
  test.each([
    ['an HTML page of a proxy declared as JSON', '<html>Bad Gateway</html>', 502],
    ['an empty body declared as JSON', '', 502],
    ['truncated JSON', '{"code":', 503],
    ['bytes that are not UTF-8', new Uint8Array([0xff, 0xfe]), 500],
  ])('%s is an error with its text', async (_, body, status) => {
    const result = await clientFor(body, { status, headers: json }).items.get();
    const text = await new Response(body).text();
    expect([result.data, result.status, result.error?.kind]).toEqual([null, status, 'response']);
    expect([result.error?.status, result.error?.value]).toEqual([status, text] as never);
    expect(result.response?.status).toBe(status);
  });

  test.each([
    ['an empty body', ''],
    ['truncated JSON', '{"data":['],
    ['an HTML page', '<html></html>'],
  ])('%s instead of JSON is an error', async (_, body) => {
    const { data, error, response } = await clientFor(body, { headers: json }).items.get();
    expect([data, error?.kind, error?.status]).toEqual([null, 'broken', 0]);
    expect(response?.status).toBe(200);
  });

  test('an HTML page with a success status is an error', async () => {
    const headers = { 'content-type': 'text/html; charset=utf-8' };
    const { error } = await clientFor('<html>Log in to the network</html>', {
      headers,
    }).items.get();
    expect([error?.kind, error?.status]).toEqual(['broken', 0]);
  });

  test('a body that ends early is an error', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"data"')),
      pull: (controller) => controller.error(new TypeError('terminated')),
    });
    const { error } = await clientFor(body, { headers: json }).items.get();
    expect([error?.kind, error?.message]).toEqual([
      'broken',
      'GET /api/v2/items: the response is damaged (terminated)',
    ]);
  });

  test('HEAD and 204 have no data', async () => {
    const { head } = clientFor(null, { headers: json }).items as unknown as {
      head(): Promise<{ data: unknown; error: unknown }>;
    };
    expect(await head()).toMatchObject({ data: null, error: null });
    const none = await clientFor(null, { status: 204 }).auth.logout.post();
    expect([none.data, none.error] as unknown[]).toEqual([null, null]);
  });
});

describe('no response', () => {
  test('is a network error with its cause and status 0', async () => {
    const cause = new TypeError('fetch failed');
    const { data, error, response, status } = await failing(cause).items.get();
    expect([data, response, status]).toEqual([null, null, 0]);
    expect(error).toBeInstanceOf(HutchError);
    expect(error).toMatchObject({ kind: 'network', status: 0, value: cause, cause });
    expect(error?.message).toBe('GET /api/v2/items: no response from the server (fetch failed)');
  });

  test('is aborted or timeout if the signal ended the call', async () => {
    const fetch = (request: Request) =>
      new Promise<Response>((_, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason));
      });
    const { items } = createClient('http://localhost', { fetch }).v2;
    const abort = new AbortController();
    const aborted = items.get({ signal: abort.signal });
    abort.abort();
    const timedOut = await items.get({ signal: AbortSignal.timeout(1) });
    expect([(await aborted).error?.kind, timedOut.error?.kind]).toEqual(['aborted', 'timeout']);
    const before = await items.get({ signal: AbortSignal.abort(new Error('not needed')) });
    expect(before.error).toMatchObject({ kind: 'aborted', value: new Error('not needed') });
  });

  test('from a real port without a listener is a network error', async () => {
    const { error } = await createClient('http://127.0.0.1:1', { retries: 0 }).v2.items.get();
    expect(error?.kind).toBe('network');
  });
});

describe('a HutchError', () => {
  test('has the code, the problem and a readable message', async () => {
    const headers = { 'content-type': 'application/problem+json' };
    const result = await clientFor(JSON.stringify(problem), { status: 404, headers })
      .items({ item_id: 7 })
      .get();
    expect(result.error).toBeInstanceOf(Error);
    expect(result.error).toMatchObject({
      name: 'HutchError',
      status: 404,
      code: 'not_found',
      problem,
    });
    expect(String(result.error)).toBe(
      'HutchError: GET /api/v2/items/7: 404 Item 7 not found (not_found)',
    );
  });

  test('lists the invalid fields in its message', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const { error } = await ada.client.v2.items.post({ title: '' });
    expect(error?.message).toBe(
      'POST /api/v2/items: 422 The request is not valid (validation_failed): body.title: String should have at least 1 character',
    );
    const v1 = await ada.client.v1.items.post({ title: '' });
    expect(v1.error?.message).toBe(
      'POST /api/v1/items: 422 body.title: String should have at least 1 character',
    );
  });

  test('is thrown by orThrow, which otherwise returns the data', async () => {
    await using t = await testApp();
    const { items } = (await t.signUp('ada')).client.v2;
    const item = orThrow(await items.post({ title: 'straw' }));
    expect(item.title).toBe('straw');
    expect((await orThrow(items({ item_id: item.id }).get())).id).toBe(item.id);
    await expect(orThrow(items({ item_id: 99 }).get())).rejects.toMatchObject({
      name: 'HutchError',
      code: 'not_found',
    });
  });

  test('is thrown by the calls for which a client option requests it', async () => {
    const fetch = async () => Response.json(problem, { status: 404 });
    const { items } = createClient('http://localhost', {
      fetch,
      throwHttpError: ({ status }) => status === 404,
    }).v2;
    await expect(items.get()).rejects.toBeInstanceOf(HutchError);
    expect((await items.get({ throwHttpError: false })).status).toBe(404);
    expect((await items.get({ throwHttpError: ({ status }) => status > 404 })).status).toBe(404);
  });
});

describe('a path parameter', () => {
  const sentPath = async (value: string) => {
    let url = '';
    const fetch = async (request: Request) => {
      url = request.url;
      return Response.json({});
    };
    await createClient('http://localhost', { fetch }).v2.sources({ name: value }).get();
    return url.slice('http://localhost/api/v2/sources/'.length);
  };

  test.each([
    ['../items', '..%2Fitems'],
    ['a/b?c=d#e', 'a%2Fb%3Fc%3Dd%23e'],
    ['..%2f', '..%252f'],
    ['é ', '%C3%A9%20'],
    ['...', '...'],
  ])('%p stays one segment', async (value, encoded) => {
    expect(await sentPath(value)).toBe(encoded);
  });

  test.each(['', '.', '..'])('%p is refused, because it would change the path', async (value) => {
    await expect(sentPath(value)).rejects.toThrow(`The path parameter name must not be "${value}"`);
  });
});
