import { describe, expect, test } from 'bun:test';
import { testApp } from '../../../support.ts';

const SECRET = 'beets-and-barley';
const ACCOUNT = { email: 'ada@example.com', username: 'ada', password: SECRET };
const SOURCE = {
  name: 'weather',
  base_url: 'https://api.example.com',
  headers: { 'x-key': { secret: SECRET } },
};

async function withAdmin() {
  const t = await testApp();
  const { token } = await t.signUp('root', 'admin');
  const send = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'a-1' };
    const answer = await t.request('POST', path, { headers, token, body: JSON.stringify(body) });
    const replayed = answer.headers.get('idempotency-replayed');
    const [location, etag] = [answer.headers.get('location'), answer.headers.get('etag')];
    return { status: answer.status, replayed, location, etag, text: await answer.text() };
  };
  return Object.assign(t, { send });
}

describe.each([
  ['/api/v2/users', ACCOUNT, 'username', '/api/v2/users/2'],
  ['/api/v2/sources', SOURCE, 'name', '/api/v2/sources/weather/definition'],
])('a repeat of POST %s with its key', (path, body, field, location) => {
  test('gets the first response and creates nothing', async () => {
    await using t = await withAdmin();
    const first = await t.send(path, body);
    expect(first).toMatchObject({ status: 201, location, replayed: null });
    expect(await t.send(path, body)).toEqual({ ...first, replayed: 'true' });
  });

  test('is refused with another body', async () => {
    await using t = await withAdmin();
    await t.send(path, body);
    const other = await t.send(path, { ...body, [field]: 'other' });
    expect([other.status, JSON.parse(other.text).code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('is compared without secrets, of which nothing is stored', async () => {
    await using t = await withAdmin();
    await t.send(path, body);
    const changed = JSON.parse(JSON.stringify(body).replaceAll(SECRET, 'another-secret-1'));
    expect((await t.send(path, changed)).replayed).toBe('true');
    const rows = t.deps.db.client.query('select * from idempotency_keys').all();
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(SECRET);
  });
});

test('a repeat of a revert with its key changes nothing more', async () => {
  await using t = await withAdmin();
  const { client, token } = await t.signUp('ada');
  await client.api.v2.items.post({ title: 'first' });
  await client.api.v2.items({ item_id: 1 }).patch({ title: 'second' });
  const revert = () =>
    t.request('POST', '/api/v2/items/1/revisions', {
      token,
      headers: { 'content-type': 'application/json', 'idempotency-key': 'r-1' },
      body: JSON.stringify({ version: 1 }),
    });
  const [first, repeat] = [await revert(), await revert()];
  expect([first.status, repeat.status]).toEqual([201, 201]);
  expect(repeat.headers.get('idempotency-replayed')).toBe('true');
  expect(await repeat.json()).toEqual(await first.json());
  expect((await client.api.v2.items({ item_id: 1 }).get()).data).toMatchObject({ version: 3 });
});
