import { describe, expect, test } from 'bun:test';
import { atOnce, testApp } from '../../support.ts';

const fields = { title: 'A warm hutch', description: 'Straw.', url: 'https://example.com/hutch' };

describe('POST /items/', () => {
  test('returns the item with its owner and no views', async () => {
    await using t = await testApp({ now: () => new Date('2026-11-22T16:00:00.000Z') });
    const ada = await t.signUp('ada');
    const { data, status } = await ada.client.api.v1.items.post(fields);
    expect(status).toBe(200);
    expect(data).toEqual({
      id: 1,
      ...fields,
      views: 0,
      owner_id: ada.id,
      created_at: '2026-11-22T16:00:00.000Z',
      updated_at: '2026-11-22T16:00:00.000Z',
    });
  });

  test('uses defaults for missing fields', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v1.items.post({ title: 'Bare' });
    expect(data).toMatchObject({ title: 'Bare', description: '', url: null });
  });

  test('unauthenticated comes before a bad body', async () => {
    await using t = await testApp();
    expect((await t.json('POST', '/api/v1/items/', { title: '' })).status).toBe(401);
    const broken = { body: '{', headers: { 'content-type': 'application/json' } };
    expect((await t.request('POST', '/api/v1/items/', broken)).status).toBe(401);
  });

  test.each([
    [{ title: '' }, 'string_too_short'],
    [{ title: 'x'.repeat(201) }, 'string_too_long'],
    [{ title: 7 }, 'string_type'],
    [{ title: 'a\u0000b' }, 'value_error'],
    [{ title: 'a', description: 'x'.repeat(10_001) }, 'string_too_long'],
    [{ title: 'a', url: 'not a url' }, 'url_parsing'],
    // proves: 1.2.2
    [{ title: 'a', url: 'javascript:alert(1)' }, 'url_scheme'],
    // proves: input.text, input.item
  ])('refuses %j as %s', async (body, type) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const answer = await t.json('POST', '/api/v1/items/', body, token);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ detail: [{ type }] });
  });

  // proves: input.text
  test('counts a title in code points', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { status } = await client.api.v1.items.post({ title: '🐇'.repeat(200) });
    expect(status).toBe(200);
  });

  // proves: input.text, 1.3.3
  test('refuses half a surrogate pair rather than change it', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const headers = { 'content-type': 'application/json' };
    const answer = await t.request('POST', '/api/v1/items/', {
      body: '{"title":"\\ud800"}',
      headers,
      token,
    });
    expect(answer.status).toBe(422);
  });
});

describe('GET /items/{item_id}', () => {
  test('counts one view per read', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v1.items.post(fields);
    await t.client.api.v1.items({ item_id: 1 }).get();
    const { data } = await t.client.api.v1.items({ item_id: 1 }).get();
    expect(data?.views).toBe(2);
  });

  test('concurrent views lose nothing', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v1.items.post(fields);
    for (let round = 0; round < 10; round++) {
      await atOnce(50, () => t.client.api.v1.items({ item_id: 1 }).get());
      await t.deps.views.flush();
    }
    const { data } = await t.client.api.v1.items.get({ query: { skip: 0, limit: 1 } });
    expect(data?.[0]?.views).toBe(500);
  });

  test('not_found names the item', async () => {
    await using t = await testApp();
    const { status, error } = await t.client.api.v1.items({ item_id: 7 }).get();
    expect(status).toBe(404);
    expect(error?.value).toEqual({ detail: 'Item 7 not found' });
  });

  test.each(['abc', '1e3', '0x1', '1%201', '1.5', '9007199254740993', '１'])(
    // proves: input.integer-in-a-path-or-query
    'does not accept %p as an id',
    async (id) => {
      await using t = await testApp();
      expect((await t.request('GET', `/api/v1/items/${id}`)).status).toBe(422);
    },
  );
});

describe('GET /items/', () => {
  test('is a window by id', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    for (const title of ['a', 'b', 'c', 'd']) await client.api.v1.items.post({ title });
    const { data } = await t.client.api.v1.items.get({ query: { skip: 1, limit: 2 } });
    expect(data?.map(({ title }) => title)).toEqual(['b', 'c']);
  });

  test('returns 100 items by default', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await atOnce(103, (index) => client.api.v1.items.post({ title: `item ${index}` }));
    const answer = await t.request('GET', '/api/v1/items');
    expect(((await answer.json()) as unknown[]).length).toBe(100);
  });
});

describe('GET /items/popular', () => {
  test('returns the most viewed first, ties by id', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    for (const title of ['a', 'b', 'c']) await client.api.v1.items.post({ title });
    await t.client.api.v1.items({ item_id: 2 }).get();
    const { data } = await t.client.api.v1.items.popular.get({ query: { limit: 10 } });
    expect(data?.map(({ id, views }) => [id, views])).toEqual([
      [2, 1],
      [1, 0],
      [3, 0],
    ]);
  });

  // proves: data.public
  test('is cached, as X-Cache shows', async () => {
    await using t = await testApp();
    const first = await t.request('GET', '/api/v1/items/popular');
    const second = await t.request('GET', '/api/v1/items/popular?limit=10');
    const other = await t.request('GET', '/api/v1/items/popular?limit=9');
    const states = [first, second, other].map(({ headers }) => headers.get('x-cache'));
    expect(states).toEqual(['miss', 'hit', 'miss']);
    expect(second.headers.get('age')).toBe('0');
    expect(second.headers.get('content-type')).toStartWith('application/json');
  });

  test('is refreshed when an item is created', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await t.request('GET', '/api/v1/items/popular');
    await client.api.v1.items.post({ title: 'new' });
    const answer = await t.request('GET', '/api/v1/items/popular');
    expect(answer.headers.get('x-cache')).toBe('miss');
    expect(((await answer.json()) as unknown[]).length).toBe(1);
  });
});

describe('PUT and DELETE /items/{item_id}', () => {
  test('the owner replaces and deletes', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v1.items.post(fields);
    const changed = await client.api.v1.items({ item_id: 1 }).put({ title: 'Other' });
    expect(changed.data).toMatchObject({ id: 1, title: 'Other', description: '', url: null });
    expect((await client.api.v1.items({ item_id: 1 }).delete()).data?.title).toBe('Other');
    expect((await client.api.v1.items({ item_id: 1 }).get()).status).toBe(404);
  });

  // proves: 8.2.2
  test('an admin may, another user is forbidden', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const bob = await t.signUp('bob');
    const root = await t.signUp('root', 'admin');
    await ada.client.api.v1.items.post(fields);
    expect((await bob.client.api.v1.items({ item_id: 1 }).put(fields)).status).toBe(403);
    expect((await bob.client.api.v1.items({ item_id: 1 }).delete()).status).toBe(403);
    expect((await root.client.api.v1.items({ item_id: 1 }).put(fields)).status).toBe(200);
    expect((await root.client.api.v1.items({ item_id: 1 }).delete()).status).toBe(200);
  });

  test('lists the problems of the path and of the body together', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const answer = await t.json('PUT', '/api/v1/items/abc', { title: '' }, token);
    const { detail } = (await answer.json()) as { detail: { type: string; loc: string[] }[] };
    expect(detail.map(({ type, loc }) => [loc.join('.'), type])).toEqual([
      ['path.item_id', 'int_parsing'],
      ['body.title', 'string_too_short'],
    ]);
  });

  test('views of a deleted item are not inherited by the next one', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v1.items.post(fields);
    await client.api.v1.items({ item_id: 1 }).get();
    await client.api.v1.items({ item_id: 1 }).delete();
    const { data } = await client.api.v1.items.post(fields);
    await t.deps.views.flush();
    expect((await client.api.v1.items({ item_id: data?.id ?? 0 }).get()).data).toMatchObject({
      id: 2,
      views: 1,
    });
  });
});
