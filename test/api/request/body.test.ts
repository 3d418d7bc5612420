import { describe, expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PATCHED = 'application/json, application/merge-patch+json';
const path = '/api/v1/users/';
const account = { email: 'ada@example.com', username: 'ada', password: 'password123' };

async function send(
  body: RequestInit['body'] | undefined,
  headers: Record<string, string> = JSON_TYPE,
) {
  await using t = await testApp({ config: { maxBodyBytes: 2048 } });
  const answer = await t.request('POST', path, { ...(body !== undefined && { body }), headers });
  return { status: answer.status, body: await answer.json() };
}

describe('a change by PATCH', () => {
  const paths = ['/api/v2/users/me', '/api/v2/items/1', '/api/v2/sources/any'];

  test.each(['application/json', 'application/merge-patch+json'])('is read as %s', async (type) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const body = JSON.stringify({ username: 'grace' });
    const headers = { 'content-type': type };
    const answer = await t.request('PATCH', '/api/v2/users/me', { body, headers, token });
    expect([answer.status, answer.headers.get('accept-patch')]).toEqual([200, PATCHED]);
  });

  test.each(paths)('of %s refuses other types and names the accepted ones', async (path) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada', 'admin');
    const headers = { 'content-type': 'application/json-patch+json' };
    const answer = await t.request('PATCH', path, { body: '[]', headers, token });
    expect([answer.status, answer.headers.get('accept-patch')]).toEqual([415, PATCHED]);
  });

  test.each(paths)('is announced with the methods of %s', async (path) => {
    await using t = await testApp();
    const { headers } = await t.request('OPTIONS', path);
    expect([headers.get('allow')?.includes('PATCH'), headers.get('accept-patch')]).toEqual([
      true,
      PATCHED,
    ]);
  });

  test('is announced only where the resource is read', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const own = await t.request('GET', '/api/v2/users/me', { token });
    const list = await t.request('GET', '/api/v2/items', { token });
    expect([own, list].map(({ headers }) => headers.get('accept-patch'))).toEqual([PATCHED, null]);
  });
});

// proves: 3.5.2
describe('the media type', () => {
  test.each([
    ['text/plain'],
    ['application/xml'],
    ['application/x-www-form-urlencoded'],
    ['application/json; charset=utf-16'],
    ['application/jsonx'],
    // proves: input.body-form
  ])('%s is unsupported_media_type', async (type) => {
    expect((await send(JSON.stringify(account), { 'content-type': type })).status).toBe(415);
  });

  test('none is unsupported_media_type', async () => {
    expect((await send(new Blob([JSON.stringify(account)]), {})).status).toBe(415);
  });

  // proves: input.body-form, 5.2.3
  test('an encoded body is unsupported_media_type', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await send(Bun.gzipSync(JSON.stringify(account)), headers)).status).toBe(415);
  });

  test.each(['application/json', 'Application/JSON; charset=UTF-8'])('%s is read', async (type) => {
    expect((await send(JSON.stringify(account), { 'content-type': type })).status).toBe(200);
  });
});

describe('the size', () => {
  test('payload_too_large is checked before reading', async () => {
    expect((await send('x'.repeat(2049))).status).toBe(413);
  });

  test('payload_too_large applies to a body without a length', async () => {
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(600).fill(32)),
    });
    expect((await send(chunks)).status).toBe(413);
  });
});

describe('JSON', () => {
  test.each(['{"a":', '{', 'nope', "{'a':1}", '{"a":1}}', '[', '[1,'])(
    '%p is malformed_body, 422 as in FastAPI',
    async (body) => {
      const answer = await send(body);
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({ detail: [{ type: 'json_invalid' }] });
    },
  );

  // proves: input.body-form, 1.1.1
  test('invalid UTF-8 is malformed_body', async () => {
    const answer = await send(new Uint8Array([123, 34, 255, 34, 58, 49, 125]));
    expect(answer.body).toMatchObject({ detail: [{ type: 'json_invalid' }] });
  });

  test.each(['null', '[]', '"x"', '7', 'true'])('%s is not an object', async (body) => {
    const answer = await send(body);
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      detail: [{ type: 'model_attributes_type', loc: ['body'] }],
    });
  });

  test('an empty body is missing', async () => {
    expect((await send(undefined)).body).toEqual({
      detail: [{ type: 'missing', loc: ['body'], msg: 'Field required' }],
    });
  });

  test.each([
    ['[', 2_000],
    ['{"a":', 400],
    ['{"login":[', 200],
    // proves: input.json-size
  ])('%p, %d times, is malformed_body', async (opening, count) => {
    const answer = await send(opening.repeat(count));
    expect(answer).toMatchObject({
      status: 422,
      body: { detail: [{ type: 'json_invalid', msg: 'The JSON is nested more than 32 deep' }] },
    });
  });

  // proves: input.json-size, costly-work.bodies
  test('of too many values is malformed_body', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const answer = await t.json('POST', '/api/v2/items', { data: Array(25_000).fill(0) }, token);
    expect(await answer.json()).toMatchObject({
      status: 400,
      code: 'malformed_body',
      detail: 'The JSON has more than 20000 values and keys',
    });
  });

  test('the last value of a repeated name counts', async () => {
    const body = `{"username":"old",${JSON.stringify(account).slice(1)}`;
    expect(await send(body)).toMatchObject({ status: 200, body: { username: 'ada' } });
  });
});

/** A value that does not survive storage, as JSON, and where it stands in it. */
const flawed: [json: string, path: string[]][] = [
  ['{"a":9007199254740993}', ['a']],
  ['{"a":[-9007199254740992]}', ['a', '0']],
  ['{"a":1e400}', ['a']],
  ['{"a":1e-400}', ['a']],
  [String.raw`{"a":"\u0000"}`, ['a']],
  [String.raw`{"a":["x","\ud800"]}`, ['a', '1']],
  ['{"a":{"__proto__":{"c":3}}}', ['a', '__proto__']],
  [String.raw`{"a":{"_\u005fproto__":1}}`, ['a', '__proto__']],
];

describe('a value that JSON.parse would change', () => {
  // proves: input.json-values, 1.5.2, 15.3.6
  test.each(flawed)('%s is refused by its path in v1', async (json, path) => {
    const body = `{"unknown":${json},${JSON.stringify(account).slice(1)}`;
    const loc = ['body', 'unknown', ...path.map((it) => (/^\d$/.test(it) ? Number(it) : it))];
    expect(await send(body)).toMatchObject({
      status: 422,
      body: { detail: [{ type: 'value_error', loc }] },
    });
  });

  // proves: input.json-values, 1.4.2
  test.each(flawed)('%s is refused by its path wherever an item has data', async (json, path) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    await t.json('POST', '/api/v2/items', { title: 'a', data: { kept: 1 } }, token);
    const fields = `{"title":"b","data":${json}}`;
    const headers = { 'content-type': 'application/json' };
    const errorOf = async (method: string, url: string, body: string) => {
      const answer = await t.request(method, url, { body, headers, token });
      const { code, errors } = (await answer.json()) as { code: string; errors: object[] };
      return { code, errors };
    };
    const expected = (place: string) => ({
      code: 'validation_failed',
      errors: [
        expect.objectContaining({ path: [place, 'data', ...path].join('.'), code: 'value_error' }),
      ],
    });
    expect(await errorOf('POST', '/api/v2/items', fields)).toEqual(expected('body'));
    expect(await errorOf('PATCH', '/api/v2/items/1', fields)).toEqual(expected('body'));
    const operations = `{"operations":[{"op":"delete","id":1},{"op":"update","id":1,"item":${fields}}]}`;
    expect(await errorOf('POST', '/api/v2/items/batch', operations)).toEqual(
      expected('body.operations.1.item'),
    );
    const item = await t.request('GET', '/api/v2/items/1', { token });
    expect(await item.json()).toMatchObject({ version: 1, data: { kept: 1 } });
  });

  test('2^53 - 1 and text that only looks like it are accepted', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const data = {
      most: Number.MAX_SAFE_INTEGER,
      least: Number.MIN_SAFE_INTEGER,
      small: 5e-324,
      texts: ['__proto__', '9007199254740993', '\\u0000', '😀'],
      constructor: { prototype: 1 },
    };
    const answer = await t.json('POST', '/api/v2/items', { title: 'a', data }, token);
    expect(await answer.json()).toMatchObject({ data });
  });
});

// proves: costly-work.bodies
describe('a body is not read', () => {
  const paths: [method: string, path: string, token: string | undefined, status: number][] = [
    ['POST', '/api/v2/items', undefined, 401],
    ['POST', '/api/v2/items', 'nonsense', 401],
    ['PATCH', '/api/v2/items/1', undefined, 401],
    ['POST', '/api/v2/items/batch', undefined, 401],
    ['POST', '/api/v2/items/import', undefined, 401],
    ['POST', '/api/v1/items/', undefined, 401],
    ['POST', '/api/v2/nowhere', undefined, 404],
    ['PUT', '/api/v2/items', undefined, 405],
  ];

  // proves: input.body-when-it-is-read
  test.each(paths)('by %s %s with the token %s: %d', async (method, path, token, status) => {
    await using t = await testApp();
    const headers = { ...JSON_TYPE, ...(token && { authorization: `Bearer ${token}` }) };
    const asked = new Request(`http://localhost${path}`, { method, body: '{', headers });
    expect((await t.app.handle(asked)).status).toBe(status);
    expect(asked.bodyUsed).toBe(false);
  });

  // proves: input.body-when-it-is-read
  test('by an admin route called by others', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
    const init = { method: 'POST', body: '{', headers };
    const asked = new Request('http://localhost/api/v2/users', init);
    expect((await t.app.handle(asked)).status).toBe(403);
    expect(asked.bodyUsed).toBe(false);
  });
});

describe('framing', () => {
  const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };

  test.each([
    ['POST', '/api/v1/users/'],
    ['POST', '/api/v2/auth/login'],
    ['GET', '/api/v2/items'],
    ['GET', '/health/live'],
    // proves: input.body-form
  ])('length_required for a chunked body to %s %s', async (method, path) => {
    await using t = await testApp();
    const answer = await t.request(method, path, { headers: chunked });
    expect(answer.status).toBe(411);
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('a setting allows chunked bodies', async () => {
    await using t = await testApp({ config: { chunkedBodies: 'allow' } });
    const answer = await t.request('POST', path, {
      body: JSON.stringify(account),
      headers: chunked,
    });
    expect(answer.status).toBe(200);
  });

  test.each([
    ['POST', '/api/v2/auth/login', 413],
    ['GET', '/api/v2/items', 413],
    ['POST', '/api/v2/items/import', 401],
    ['OPTIONS', '/api/v2/items', 405],
    ['GET', '/nowhere', 404],
    // proves: input.chunked-bodies
  ])('the connection closes after a long body to %s %s', async (method, path, status) => {
    await using t = await testApp();
    const answer = await t.request(method, path, { headers: { 'content-length': '2000000' } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('connection')).toBe('close');
  });

  test('the connection stays open after a short body', async () => {
    await using t = await testApp();
    const answer = await t.request('POST', '/api/v2/auth/login', {
      headers: { ...JSON_TYPE, 'content-length': '20000' },
    });
    expect(answer.status).toBe(413);
    expect(answer.headers.get('connection')).toBeNull();
  });
});

// proves: input.body-size, 5.2.1
test('a route accepts no more than it declares', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('ada');
  const headers = { 'content-type': 'application/json' };
  const statusOf = async (url: string, length: number) =>
    (await t.request('POST', url, { body: ' '.repeat(length), headers, token })).status;
  expect(await statusOf('/api/v2/tokens', 16_384)).toBe(400);
  expect(await statusOf('/api/v2/tokens', 16_385)).toBe(413);
  expect(await statusOf('/api/v2/items', 262_144)).toBe(400);
  expect(await statusOf('/api/v2/items', 262_145)).toBe(413);
  expect(await statusOf('/api/v2/items/batch', 1_048_576)).toBe(400);
  expect(await statusOf('/api/v2/items/batch', 1_048_577)).toBe(413);
});
