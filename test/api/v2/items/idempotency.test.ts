import { describe, expect, test } from 'bun:test';
import { atOnce, testApp } from '../../../support.ts';

const DAY_MS = 86_400_000;

async function withAda(now?: () => Date) {
  const t = await testApp(now ? { now } : {});
  const ada = await t.signUp('ada');
  /** Sends `body` with a key, as ada unless told. */
  const send = async (key: string, body: unknown, path = '/api/v2/items', token = ada.token) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const init = { headers, token, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await t.request('POST', path, init);
    const { headers: got, status } = answer;
    return {
      status,
      text: await answer.text(),
      location: got.get('location'),
      etag: got.get('etag'),
      replayed: got.get('idempotency-replayed'),
    };
  };
  const count = () => t.deps.db.client.query('select count(*) from items').values()[0]?.[0];
  return { t, ada, send, count, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

const codeOf = ({ text }: { text: string }) => JSON.parse(text).code;

describe('a repeat with the same key', () => {
  test('gets the first response and creates nothing', async () => {
    await using it = await withAda();
    const first = await it.send('a-1', { title: 'a' });
    const repeat = await it.send('a-1', { title: 'a' });
    expect(first).toMatchObject({ status: 201, location: '/api/v2/items/1', replayed: null });
    expect(repeat).toEqual({ ...first, replayed: 'true' });
    expect(it.count()).toBe(1);
  });

  test('gets it even if the item has changed since', async () => {
    await using it = await withAda();
    const first = await it.send('a-1', { title: 'a' });
    await it.ada.client.api.v2.items({ item_id: 1 }).patch({ title: 'b' });
    expect((await it.send('a-1', { title: 'a' })).text).toBe(first.text);
  });

  test('is refused for another path with 422', async () => {
    await using it = await withAda();
    await it.send('a-1', { title: 'a' });
    const other = await it.send(
      'a-1',
      { operations: [{ op: 'delete', id: 1 }] },
      '/api/v2/items/batch',
    );
    expect([other.status, codeOf(other)]).toEqual([422, 'idempotency_mismatch']);
  });

  test('is refused for another body with 422, ignoring whitespace', async () => {
    await using it = await withAda();
    await it.send('a-1', { title: 'a' });
    const other = await it.send('a-1', { title: 'b' });
    expect([other.status, codeOf(other)]).toEqual([422, 'idempotency_mismatch']);
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'a-1' };
    const init = { headers, token: it.ada.token, body: ' {  "title" : "a" }' };
    expect((await it.t.request('POST', '/api/v2/items/', init)).status).toBe(201);
    expect(it.count()).toBe(1);
  });

  test('of another account is a separate request', async () => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    await it.send('a-1', { title: 'a' });
    const other = await it.send('a-1', { title: 'a' }, '/api/v2/items', bob.token);
    expect(other).toMatchObject({ status: 201, location: '/api/v2/items/2', replayed: null });
  });

  test('processes the request again if it failed', async () => {
    await using it = await withAda();
    const { client } = it.ada;
    await client.api.v2.items.post({ title: 'a' });
    expect((await it.send('r', undefined, '/api/v2/items/1/restore')).status).toBe(404);
    await client.api.v2.items({ item_id: 1 }).delete();
    const first = await it.send('r', undefined, '/api/v2/items/1/restore');
    expect(first).toMatchObject({ status: 200, etag: '"v3"', replayed: null });
    const repeat = await it.send('r', undefined, '/api/v2/items/1/restore');
    expect(repeat).toEqual({ ...first, replayed: 'true' });
  });

  test('of a batch applies it once', async () => {
    await using it = await withAda();
    const body = { operations: [{ op: 'create', item: { title: 'a' } }] };
    const first = await it.send('b', body, '/api/v2/items/batch');
    const repeat = await it.send('b', body, '/api/v2/items/batch');
    expect(repeat).toEqual({ ...first, replayed: 'true' });
    expect(it.count()).toBe(1);
  });
});

test('50 concurrent requests with one key create one item', async () => {
  await using it = await withAda();
  const sent = await atOnce(50, () => it.send('race', { title: 'a' }));
  const answers = sent.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  expect(answers).toHaveLength(50);
  expect(it.count()).toBe(1);
  const made = answers.filter(({ status, replayed }) => status === 201 && replayed === null);
  expect(made).toHaveLength(1);
  for (const answer of answers.filter((each) => each !== made[0])) {
    if (answer.replayed)
      expect(answer).toEqual({ ...(made[0] as typeof answer), replayed: 'true' });
    else expect([answer.status, codeOf(answer)]).toEqual([409, 'idempotency_running']);
  }
  expect((await it.send('race', { title: 'a' })).replayed).toBe('true');
});

test('50 concurrent batches with one key are applied once', async () => {
  await using it = await withAda();
  const body = { operations: [{ op: 'create', item: { title: 'a' } }] };
  await atOnce(50, () => it.send('race', body, '/api/v2/items/batch'));
  expect(it.count()).toBe(1);
});

// proves: data.responses-of-idempotency-keys
test('a response is stored for a day', async () => {
  let now = new Date('2026-11-22T16:00:00.000Z');
  await using it = await withAda(() => now);
  const { jobs } = it.t.deps;
  await it.send('a-1', { title: 'a' });
  now = new Date(now.getTime() + DAY_MS);
  await jobs.runAll();
  expect((await it.send('a-1', { title: 'a' })).replayed).toBe('true');
  now = new Date(now.getTime() + 1);
  await jobs.runAll();
  expect(await it.send('a-1', { title: 'a' })).toMatchObject({ status: 201, replayed: null });
  expect(it.count()).toBe(2);
});

test.each([
  ['an empty key', ''],
  ['a key with a space', 'a b'],
  ['a key over 255 characters', 'x'.repeat(256)],
  ['a key beyond ASCII', 'ä'],
])('refuses %s by name', async (_, key) => {
  await using it = await withAda();
  const answer = await it.send(key, { title: 'a' });
  expect(answer.status).toBe(422);
  expect(JSON.parse(answer.text).errors[0].path).toBe('header.idempotency-key');
  expect(it.count()).toBe(0);
});
