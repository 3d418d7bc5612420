import { describe, expect, test } from 'bun:test';
import { testApp } from '../support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
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

describe('the media type', () => {
  test.each([
    ['text/plain'],
    ['application/xml'],
    ['application/x-www-form-urlencoded'],
    ['application/json; charset=utf-16'],
    ['application/jsonx'],
  ])('%s is unsupported_media_type', async (type) => {
    expect((await send(JSON.stringify(account), { 'content-type': type })).status).toBe(415);
  });

  test('none is unsupported_media_type', async () => {
    expect((await send(new Blob([JSON.stringify(account)]), {})).status).toBe(415);
  });

  test('an encoded body is unsupported_media_type', async () => {
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect((await send(Bun.gzipSync(JSON.stringify(account)), headers)).status).toBe(415);
  });

  test.each(['application/json', 'Application/JSON; charset=UTF-8'])('%s is read', async (type) => {
    expect((await send(JSON.stringify(account), { 'content-type': type })).status).toBe(200);
  });
});

describe('the size', () => {
  test('payload_too_large is judged before anything is read', async () => {
    expect((await send('x'.repeat(2049))).status).toBe(413);
  });

  test('payload_too_large holds for a body that does not tell its length', async () => {
    const chunks = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(600).fill(32)),
    });
    expect((await send(chunks)).status).toBe(413);
  });
});

describe('JSON', () => {
  test.each(['{"a":', '{', 'nope', "{'a':1}", '{"a":1}}', '[', '[1,'])(
    '%p is malformed_body, 422 as FastAPI has it',
    async (body) => {
      const answer = await send(body);
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({ detail: [{ type: 'json_invalid' }] });
    },
  );

  test('invalid UTF-8 is malformed_body', async () => {
    const answer = await send(new Uint8Array([123, 34, 255, 34, 58, 49, 125]));
    expect(answer.body).toMatchObject({ detail: [{ type: 'json_invalid' }] });
  });

  test.each(['null', '[]', '"x"', '7', 'true'])('%s is no object', async (body) => {
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

  test('deep nesting is a 4xx', async () => {
    await using t = await testApp();
    for (const body of [
      '['.repeat(100_000),
      '{"a":'.repeat(10_000),
      '['.repeat(9_000) + ']'.repeat(9_000),
    ]) {
      const answer = await t.request('POST', path, { body, headers: JSON_TYPE });
      expect(answer.status).toBe(422);
    }
  });

  test('__proto__ pollutes nothing', async () => {
    const body = `{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(account).slice(1)}`;
    expect((await send(body)).status).toBe(200);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('numbers past 2^53 and duplicate keys are no fault of ours', async () => {
    const body = `{"n":1e999,"m":9007199254740993,"username":"old",${JSON.stringify(account).slice(1)}`;
    expect(await send(body)).toMatchObject({ status: 200, body: { username: 'ada' } });
  });
});
