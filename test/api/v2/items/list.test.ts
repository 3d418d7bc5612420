import { describe, expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../../../support.ts';
import { getItems, withItems } from './list-support.ts';

describe('the list', () => {
  test('shows public items to everyone and private ones to their owner, newest first', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    expect((await getItems(it.t, '')).ids).toEqual([4, 2, 1]);
    expect((await getItems(it.t, '', bob.token)).ids).toEqual([4, 2, 1]);
    expect((await getItems(it.t, '', it.ada.token)).ids).toEqual([4, 3, 2, 1]);
  });

  test('contains items exactly as single reads return them', async () => {
    await using it = await withItems();
    const { body } = await getItems(it.t, 'limit=1&sort=id');
    const one = await it.t.client.api.v2.items({ item_id: 1 }).get();
    expect(body.data).toEqual([one.data as never]);
    expect(body.page).toEqual({ next_cursor: expect.any(String), has_more: true, limit: 1 });
  });

  test('sends Vary, and is not stored if its caller is known', async () => {
    await using it = await withItems();
    const open = await it.t.request('GET', '/api/v2/items');
    const known = await it.t.request('GET', '/api/v2/items', { token: it.ada.token });
    expect(open.headers.get('vary')).toContain('Authorization');
    expect(known.headers.get('cache-control')).toBe('no-store');
  });

  // proves: permissions.account-in-v2-username
  test('shows the id, the requested fields and the owner', async () => {
    await using it = await withItems();
    const { body } = await getItems(it.t, 'fields=title,tags&expand=owner&limit=1&sort=title');
    const owner = { id: it.ada.id, username: 'ada' };
    expect(body.data).toEqual([{ id: 1, title: 'A warm hutch', tags: ['wood', 'a,b'], owner }]);
  });

  test('is typed for the client, filters too', async () => {
    await using it = await withItems();
    const query = { q: 'hutch', 'filter[tags][eq]': 'wood', sort: '-id', fields: 'title' } as const;
    const { data } = await it.t.client.api.v2.items.get({ query });
    expect<unknown>(data?.data).toEqual([{ id: 1, title: 'A warm hutch' }]);
  });

  // proves: permissions.item-in-the-bin
  test('shows only the bin of the caller', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    await it.ada.client.api.v2.items({ item_id: 3 }).delete();
    await it.ada.client.api.v2.items({ item_id: 1 }).delete();
    expect((await getItems(it.t, 'bin=only', it.ada.token)).ids).toEqual([3, 1]);
    expect((await getItems(it.t, 'bin=only&sort=title', it.ada.token)).ids).toEqual([3, 1]);
    expect((await getItems(it.t, 'bin=only&q=warm', it.ada.token)).ids).toEqual([1]);
    expect((await getItems(it.t, 'bin=only', bob.token)).ids).toEqual([]);
    expect((await getItems(it.t, 'bin=only')).status).toBe(401);
    expect((await getItems(it.t, '', it.ada.token)).ids).toEqual([4, 2]);
  });

  test('counts on request', async () => {
    await using it = await withItems();
    const { body } = await getItems(it.t, 'count=exact&limit=1', it.ada.token);
    expect(body).toMatchObject({ total: 4, total_is_capped: false });
    expect((await getItems(it.t, 'limit=1')).body).not.toHaveProperty('total');
    expect((await getItems(it.t, 'count=exact&q=hutch')).body).toMatchObject({ total: 2 });
  });

  test('needs a token with the scope', async () => {
    await using it = await withItems();
    const made = await it.ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['items:write'],
    });
    expect((await getItems(it.t, '', (made.data as { token: string }).token)).status).toBe(403);
  });
});

describe('a filter', () => {
  test.each<[string, string, number[]]>([
    ['[id][in]', '1,4,7', [4, 1]],
    ['[id][lte]', '2', [2, 1]],
    ['[title][eq]', 'Élan', [2]],
    ['[title][ne]', 'Élan', [4, 1]],
    ['[title][gt]', 'hutch', [4, 2]],
    ['[title][like]', 'a*HUTCH', [1]],
    ['[title][like]', '%hutch', []],
    ['[title][like]', 'hutch_*', [4]],
    ['[title][in]', 'Élan,hutch_two', [4, 2]],
    ['[url][is]', 'null', [4, 1]],
    ['[url][is]', 'not_null', [2]],
    ['[url][eq]', 'https://a.example/x', [2]],
    ['[url][like]', 'https://A.*', [2]],
    ['[tags][eq]', 'straw', [4]],
    ['[tags][ne]', 'straw', [2, 1]],
    ['[tags][in]', 'a\\,b,straw', [4, 1]],
    ['[visibility][eq]', 'public', [4, 2, 1]],
    ['[visibility][eq]', 'private', []],
    ['[version][eq]', '1', [4, 2, 1]],
    ['[views][gte]', '1', []],
    ['[created_at][gt]', '2020-01-01', [4, 2, 1]],
    ['[updated_at][lt]', '2020-01-01T00:00:00+02:00', []],
    ['[created_at][gt]', '2016-12-31t23:59:60z', [4, 2, 1]],
    ['[data.n][eq]', '2', [1]],
    ['[data.n][eq]', '"2"', [2]],
    ['[data.n][gt]', '2', [4]],
    ['[data.n][in]', '2,"2"', [2, 1]],
    ['[data.deep.a][is]', 'true', [2]],
    ['[data.deep.a][eq]', 'true', [2]],
    ['[data.deep.a][is]', 'null', [4, 1]],
    ['[data.deep.a][ne]', 'true', [4, 1]],
    ['[data.__proto__][is]', 'null', [4, 2, 1]],
  ])('filter%s=%s finds the matching items', async (name, value, ids) => {
    await using it = await withItems();
    expect(await getItems(it.t, { [`filter${name}`]: value })).toMatchObject({ status: 200, ids });
  });

  test('by owner accepts me, which is refused by name without a caller', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    const mine = 'filter[owner_id][eq]=me';
    expect((await getItems(it.t, mine, it.ada.token)).ids).toEqual([4, 3, 2, 1]);
    expect((await getItems(it.t, mine, bob.token)).ids).toEqual([]);
    expect(await getItems(it.t, mine)).toMatchObject({
      status: 400,
      paths: [`query.filter[owner_id][eq]`],
    });
  });

  test('and another one must both hold', async () => {
    await using it = await withItems();
    const query = 'filter[id][gt]=1&filter[id][lt]=4&filter[tags][eq]=wood';
    expect((await getItems(it.t, query, it.ada.token)).ids).toEqual([3]);
  });
});

describe('a list refuses by name', () => {
  test.each<[string, string]>([
    ['roles', 'roles=admin'],
    ['__proto__', '__proto__=1'],
    ['filter', 'filter=1'],
    ['filter[foo][eq]', 'filter[foo][eq]=1'],
    ['filter[title]', 'filter[title]=1'],
    ['filter[title][eq][x]', 'filter[title][eq][x]=1'],
    ['filter[constructor][eq]', 'filter[constructor][eq]=1'],
    ['filter[title.a][eq]', 'filter[title.a][eq]=1'],
    ['filter[data][eq]', 'filter[data][eq]=1'],
    ['filter[data.a"b][eq]', 'filter[data.a"b][eq]=1'],
    ['filter[data.a..b][eq]', 'filter[data.a..b][eq]=1'],
    ['filter[data.1.2.3.4.5.6.7.8.9.0.1][eq]', 'filter[data.1.2.3.4.5.6.7.8.9.0.1][eq]=1'],
    ['filter[title][regex]', 'filter[title][regex]=1'],
    ['filter[tags][gt]', 'filter[tags][gt]=1'],
    ['filter[id][like]', 'filter[id][like]=1'],
    ['filter[views][eq]', 'filter[views][eq]=1.5'],
    ['filter[id][in]', 'filter[id][in]=1,x'],
    ['filter[id][in]', `filter[id][in]=${'1,'.repeat(100)}1`],
    ['filter[created_at][gt]', 'filter[created_at][gt]=yesterday'],
    ['filter[created_at][gt]', 'filter[created_at][gt]=2026-02-31'],
    ['filter[updated_at][in]', 'filter[updated_at][in]=2024-02-29,2023-02-29'],
    ['filter[visibility][eq]', 'filter[visibility][eq]=hidden'],
    ['filter[url][is]', 'filter[url][is]=true'],
    ['filter[data.a][eq]', 'filter[data.a][eq]=9007199254740993'],
    ['filter[data.a][lt]', 'filter[data.a][lt]=1e300'],
    ['filter[data.a][is]', 'filter[data.a][is]=empty'],
    ['filter[data.a][gt]', 'filter[data.a][gt]=true'],
    ['filter[title][like]', 'filter[title][like]=*a*b*c*d*e*'],
    ['filter[title][eq]', 'filter[title][eq]=a%00b'],
    ['filter[id][eq]', 'filter[id][eq]=1&filter[id][eq]=2'],
    [
      'filter[data.20][eq]',
      Array.from({ length: 21 }, (_, n) => `filter[data.${n}][eq]=1`).join('&'),
    ],
    ['limit', 'limit=1&limit=2'],
    ['sort', 'sort=owner_id'],
    ['sort', 'sort=relevance'],
    ['sort', 'sort=--id'],
    ['sort', 'sort=title,-title'],
    ['sort', 'sort='],
    ['fields', 'fields=title,password_hash'],
    ['fields', 'fields=owner_username'],
    ['expand', 'expand=tags'],
  ])('%s', async (name, query) => {
    await using t = await testApp();
    const { status, code, paths } = await getItems(t, query);
    expect({ status, code, paths }).toEqual({
      status: 400,
      code: 'invalid_query',
      paths: [`query.${name}`],
    });
  });

  // proves: input.cursor
  test('a cursor of another sort, filter, words or caller', async () => {
    await using it = await withItems();
    const cursor = (await getItems(it.t, 'limit=1')).body.page.next_cursor;
    for (const query of ['sort=id', 'filter[id][gt]=0', 'q=hutch', 'bin=only']) {
      const answer = await getItems(it.t, `${query}&cursor=${cursor}`, it.ada.token);
      expect([query, answer.status, answer.code]).toEqual([query, 400, 'invalid_cursor']);
    }
    expect((await getItems(it.t, `cursor=${cursor}`, it.ada.token)).code).toBe('invalid_cursor');
    expect((await getItems(it.t, 'cursor=nonsense')).code).toBe('invalid_cursor');
    expect((await getItems(it.t, `cursor=${cursor}`)).ids).toEqual([2, 1]);
  });
});

describe('one item', () => {
  test('shows the requested fields and its owner', async () => {
    await using it = await withItems();
    const query = { fields: 'title', expand: 'owner' } as const;
    const { data } = await it.t.client.api.v2.items({ item_id: 1 }).get({ query });
    const owner = { id: it.ada.id, username: 'ada' };
    expect<unknown>(data).toEqual({ id: 1, title: 'A warm hutch', owner });
  });

  test('with its owner has another ETag after the owner is renamed', async () => {
    await using it = await withItems();
    const path = '/api/v2/items/1?expand=owner';
    const before = (await it.t.request('GET', path)).headers.get('etag') as string;
    const same = await it.t.request('GET', path, { headers: { 'if-none-match': before } });
    expect(same.status).toBe(304);
    it.t.deps.db.client.run(`update users set username = 'lovelace', username_key = 'lovelace'`);
    const after = await it.t.request('GET', path, { headers: { 'if-none-match': before } });
    expect(after.status).toBe(200);
    expect(after.headers.get('etag')).not.toBe(before);
    const patched = await it.t.request('PATCH', '/api/v2/items/1', {
      token: it.ada.token,
      headers: { 'if-match': before, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'b' }),
    });
    expect(patched.status).toBe(200);
  });

  test.each(['fields=foo', 'expand=foo', 'foo=1', 'fields=id,id'])('refuses %s', async (query) => {
    await using it = await withItems();
    const answer = await it.t.request('GET', `/api/v2/items/1?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'invalid_query' });
  });
});
