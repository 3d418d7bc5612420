import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

/** An application with a public item, whose path is returned with its ETag. */
async function withItem() {
  const t = await testApp();
  const { token } = await t.signUp('ada');
  const created = await t.json('POST', '/api/v2/items', { title: 'a' }, token);
  const path = created.headers.get('location') ?? '';
  const etag = (await t.request('GET', path)).headers.get('etag') ?? '';
  return { t, token, path, etag, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('If-None-Match', () => {
  test.each<[string, number]>([
    ['TAG', 304],
    ['W/TAG', 304],
    ['"other", TAG', 304],
    ['"a,b", W/TAG', 304],
    ['"a\\", TAG', 304],
    [' , TAG ,', 304],
    ['*', 304],
    [' * ,', 304],
    ['*, "other"', 200],
    ['"other"', 200],
    ['"a, TAG', 200],
    ['w/TAG', 200],
    ['v1', 200],
    ['', 200],
  ])('%p gets %p, for an item and for a file', async (template, status) => {
    await using it = await withItem();
    const file = '/openapi.json';
    const fileTag = (await it.t.request('GET', file)).headers.get('etag') ?? '';
    for (const [path, etag] of [
      [it.path, it.etag],
      [file, fileTag],
    ] as const) {
      const headers = { 'if-none-match': template.replace('TAG', etag) };
      const response = await it.t.request('GET', path, { headers });
      expect([path, response.status]).toEqual([path, status]);
      if (status !== 304) continue;
      expect([response.headers.get('etag'), await response.text()]).toEqual([etag, '']);
    }
  });
});

describe('If-Match', () => {
  test.each<[string, number]>([
    ['TAG', 200],
    ['"other", TAG', 200],
    ['"a,b",TAG', 200],
    ['*', 200],
    ['W/TAG', 412],
    ['"other"', 412],
    ['*, "other"', 412],
    ['TAG "other"', 412],
    ['v1', 412],
    ['', 412],
  ])('%p gets %p', async (template, status) => {
    await using it = await withItem();
    const headers = {
      'content-type': 'application/json',
      'if-match': template.replace('TAG', it.etag),
    };
    const body = JSON.stringify({ title: 'b' });
    const response = await it.t.request('PATCH', it.path, { headers, body, token: it.token });
    expect(response.status).toBe(status);
  });
});

describe('a header that is not supported is ignored:', () => {
  test.each([
    { range: 'bytes=0-1' },
    { range: 'bytes=999999999-' },
    { range: 'bytes=0-1', 'if-range': '"v1"' },
    { prefer: 'return=minimal, respond-async' },
    { accept: 'text/csv' },
    { accept: 'application/json;q=0' },
    { 'if-modified-since': 'Fri, 31 Dec 9999 23:59:59 GMT' },
    { 'accept-language': 'fr;q=0.5' },
  ])('%p', async (headers) => {
    await using it = await withItem();
    for (const path of [it.path, '/openapi.json', '/docs/theme.js']) {
      const plain = await it.t.request('GET', path);
      const response = await it.t.request('GET', path, { headers });
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get('content-type')).toBe(plain.headers.get('content-type'));
      expect(response.headers.has('content-range')).toBe(false);
    }
  });
});

describe('Vary names every request header that changes the response', () => {
  test.each([
    ['/', 'Accept, Origin'],
    ['/openapi.json', 'Accept-Encoding, Origin'],
    ['/api/v2/items', 'Authorization, Cookie, Origin'],
    ['/api/v2/system/version', 'Origin'],
    ['/nothing', 'Origin'],
  ])('of %s: %s', async (path, names) => {
    await using t = await testApp({ config: { corsOrigins: ['https://app.example.net'] } });
    const { headers } = await t.request('GET', path);
    expect(headers.get('vary')?.split(', ').toSorted().join(', ')).toBe(names);
  });
});
