import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { PASSWORD, type TestApp, testApp } from '../../../support.ts';

interface List {
  data: { id: number; [name: string]: unknown }[];
  page: { next_cursor: string | null; has_more: boolean; limit: number };
  total?: number;
  total_is_capped?: boolean;
}

/** What `query` answers: its list, or the path of each problem. */
async function get(t: TestApp, query: string | Record<string, string>, token?: string) {
  const search = new URLSearchParams(query);
  const answer = await t.request('GET', `/api/v2/items?${search}`, token ? { token } : {});
  const body = (await answer.json()) as List & { code?: string; errors?: { path: string }[] };
  const ids = body.data?.map(({ id }) => id);
  return {
    status: answer.status,
    body,
    ids,
    code: body.code,
    paths: body.errors?.map((it) => it.path),
  };
}

const ITEMS = [
  { title: 'A warm hutch', description: 'Straw included.', tags: ['wood', 'a,b'], data: { n: 2 } },
  {
    title: 'Élan',
    description: 'warm',
    url: 'https://a.example/x',
    data: { n: '2', deep: { a: true } },
  },
  {
    title: '100% hutch',
    tags: ['wood', 'straw'],
    data: { n: null },
    visibility: 'private' as const,
  },
  { title: 'hutch_two', tags: ['straw'], data: { n: 2.5 } },
];

/** Ada's four items, the third private. */
async function withItems() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  for (const item of ITEMS) await ada.client.api.v2.items.post(item);
  return { t, ada, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('the list', () => {
  test('shows everybody what is public, and its owner the private too, the newest first', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    expect((await get(it.t, '')).ids).toEqual([4, 2, 1]);
    expect((await get(it.t, '', bob.token)).ids).toEqual([4, 2, 1]);
    expect((await get(it.t, '', it.ada.token)).ids).toEqual([4, 3, 2, 1]);
  });

  test('holds items as they are read one by one', async () => {
    await using it = await withItems();
    const { body } = await get(it.t, 'limit=1&sort=id');
    const one = await it.t.client.api.v2.items({ item_id: 1 }).get();
    expect(body.data).toEqual([one.data as never]);
    expect(body.page).toEqual({ next_cursor: expect.any(String), has_more: true, limit: 1 });
  });

  test('says what it varies by, and is kept by nobody when its caller is known', async () => {
    await using it = await withItems();
    const open = await it.t.request('GET', '/api/v2/items');
    const known = await it.t.request('GET', '/api/v2/items', { token: it.ada.token });
    expect(open.headers.get('vary')).toContain('Authorization');
    expect(known.headers.get('cache-control')).toBe('no-store');
  });

  // proves: who-may-what.account-in-v2-username
  test('shows the fields asked for, beside the id, and the owner', async () => {
    await using it = await withItems();
    const { body } = await get(it.t, 'fields=title,tags&expand=owner&limit=1&sort=title');
    const owner = { id: it.ada.id, username: 'ada' };
    expect(body.data).toEqual([{ id: 1, title: 'A warm hutch', tags: ['wood', 'a,b'], owner }]);
  });

  test('is typed for the client, filters too', async () => {
    await using it = await withItems();
    const query = { q: 'hutch', 'filter[tags][eq]': 'wood', sort: '-id', fields: 'title' } as const;
    const { data } = await it.t.client.api.v2.items.get({ query });
    expect<unknown>(data?.data).toEqual([{ id: 1, title: 'A warm hutch' }]);
  });

  // proves: who-may-what.item-in-the-bin
  test('is the bin of who asks for it, and of nobody else', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    await it.ada.client.api.v2.items({ item_id: 3 }).delete();
    await it.ada.client.api.v2.items({ item_id: 1 }).delete();
    expect((await get(it.t, 'bin=only', it.ada.token)).ids).toEqual([3, 1]);
    expect((await get(it.t, 'bin=only&sort=title', it.ada.token)).ids).toEqual([3, 1]);
    expect((await get(it.t, 'bin=only&q=warm', it.ada.token)).ids).toEqual([1]);
    expect((await get(it.t, 'bin=only', bob.token)).ids).toEqual([]);
    expect((await get(it.t, 'bin=only')).status).toBe(401);
    expect((await get(it.t, '', it.ada.token)).ids).toEqual([4, 2]);
  });

  test('counts on demand', async () => {
    await using it = await withItems();
    const { body } = await get(it.t, 'count=exact&limit=1', it.ada.token);
    expect(body).toMatchObject({ total: 4, total_is_capped: false });
    expect((await get(it.t, 'limit=1')).body).not.toHaveProperty('total');
    expect((await get(it.t, 'count=exact&q=hutch')).body).toMatchObject({ total: 2 });
  });

  test('needs a scope of a token', async () => {
    await using it = await withItems();
    const made = await it.ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['items:write'],
    });
    expect((await get(it.t, '', (made.data as { token: string }).token)).status).toBe(403);
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
  ])('filter%s=%s finds what it must', async (name, value, ids) => {
    await using it = await withItems();
    expect(await get(it.t, { [`filter${name}`]: value })).toMatchObject({ status: 200, ids });
  });

  test('of who owns knows me, and is refused by name to nobody', async () => {
    await using it = await withItems();
    const bob = await it.t.signUp('bob');
    const mine = 'filter[owner_id][eq]=me';
    expect((await get(it.t, mine, it.ada.token)).ids).toEqual([4, 3, 2, 1]);
    expect((await get(it.t, mine, bob.token)).ids).toEqual([]);
    expect(await get(it.t, mine)).toMatchObject({
      status: 400,
      paths: [`query.filter[owner_id][eq]`],
    });
  });

  test('and another must both hold', async () => {
    await using it = await withItems();
    const query = 'filter[id][gt]=1&filter[id][lt]=4&filter[tags][eq]=wood';
    expect((await get(it.t, query, it.ada.token)).ids).toEqual([3]);
  });
});

describe('what is refused, by its name', () => {
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
    const { status, code, paths } = await get(t, query);
    expect({ status, code, paths }).toEqual({
      status: 400,
      code: 'invalid_query',
      paths: [`query.${name}`],
    });
  });

  // proves: input.cursor
  test('a cursor of another sort, filter, words or caller', async () => {
    await using it = await withItems();
    const cursor = (await get(it.t, 'limit=1')).body.page.next_cursor;
    for (const query of ['sort=id', 'filter[id][gt]=0', 'q=hutch', 'bin=only']) {
      const answer = await get(it.t, `${query}&cursor=${cursor}`, it.ada.token);
      expect([query, answer.status, answer.code]).toEqual([query, 400, 'invalid_cursor']);
    }
    expect((await get(it.t, `cursor=${cursor}`, it.ada.token)).code).toBe('invalid_cursor');
    expect((await get(it.t, 'cursor=nonsense')).code).toBe('invalid_cursor');
    expect((await get(it.t, `cursor=${cursor}`)).ids).toEqual([2, 1]);
  });
});

describe('words', () => {
  test.each<[string, number[]]>([
    ['hutch', [4, 1]],
    ['hutc straw hutc', [4, 1]],
    ['HUT', [4, 1]],
    ['elan', [2]],
    ['straw', [4, 1]],
    ['warm', [1, 2]],
    ['warm straw', [1]],
    ['warm nothing', []],
    ['wa st', []],
    ['st wa', []],
    ['warm "hutch" OR straw', []],
    ['title:hutch', []],
    ['h', []],
    ['', []],
    ['*', []],
    ['"', []],
    ['💥', []],
  ])('%p finds what fits best first', async (q, ids) => {
    await using it = await withItems();
    expect(await get(it.t, { q })).toMatchObject({ status: 200, ids });
  });

  test('find no private item but the own', async () => {
    await using it = await withItems();
    expect((await get(it.t, 'q=100', it.ada.token)).ids).toEqual([3]);
    expect((await get(it.t, 'q=100')).ids).toEqual([]);
  });

  test('go with a filter, a sort and pages', async () => {
    await using it = await withItems();
    expect((await get(it.t, 'q=hutch&filter[tags][eq]=straw')).ids).toEqual([4]);
    expect((await get(it.t, 'q=hutch&sort=title', it.ada.token)).ids).toEqual([3, 1, 4]);
    const first = await get(it.t, 'q=hutch&limit=1', it.ada.token);
    const cursor = first.body.page.next_cursor;
    const rest = await get(it.t, `q=hutch&cursor=${cursor}`, it.ada.token);
    expect([...(first.ids ?? []), ...(rest.ids ?? [])].toSorted()).toEqual([1, 3, 4]);
  });

  test('are safe whatever they are', async () => {
    await using it = await withItems();
    const unit = fc.oneof(
      fc.constantFrom(...`"'*^:(){}[]+-, \\\0`, 'AND', 'OR', 'NOT', 'NEAR', 'title', 'hut', '́'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
    );
    const words = fc.array(unit, { maxLength: 30 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(words, async (q) => {
        const { status } = await get(it.t, { q });
        expect([q, [200, 422].includes(status)]).toEqual([q, true]);
      }),
      { numRuns: 500 },
    );
    for (const q of ['a '.repeat(5000), 'x'.repeat(10_000), '"'.repeat(10_000)]) {
      expect((await get(it.t, { q })).status).toBe(200);
    }
  }, 30_000);
});

describe('one item', () => {
  test('shows the fields asked for and its owner', async () => {
    await using it = await withItems();
    const query = { fields: 'title', expand: 'owner' } as const;
    const { data } = await it.t.client.api.v2.items({ item_id: 1 }).get({ query });
    const owner = { id: it.ada.id, username: 'ada' };
    expect<unknown>(data).toEqual({ id: 1, title: 'A warm hutch', owner });
  });

  test('with its owner has another tag when the owner is called otherwise', async () => {
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

test('words sorted by several keys go on from a cursor', async () => {
  await using it = await withItems();
  const ids: number[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = `q=hutch&sort=-views,relevance,-created_at&limit=1${cursor && `&cursor=${cursor}`}`;
    const { body } = await get(it.t, query, it.ada.token);
    ids.push(...body.data.map(({ id }) => id));
    cursor = body.page.next_cursor;
  }
  expect(ids.toSorted()).toEqual([1, 3, 4]);
});

describe('words of any script', () => {
  const TITLES = [
    '静默播客飞书 2024年',
    '한국어를 배우는 사람들',
    'ภาษาไทยและการทดสอบ',
    'ພາສາລາວ',
    'ភាសាខ្មែរ',
    'မြန်မာဘာသာ',
    'Ελλάδα ΑΘΗΝΑ και Θεσσαλονίκη',
    'iPhone手机とカメラ',
    'テスト ガイド',
    'Straße ﬁne Ｆｕｌｌ',
  ];

  test.each<[string, number[]]>([
    ['静默', [1]],
    ['播客', [1]],
    ['默播客', [1]],
    ['客', [1]],
    ['播 静', [1]],
    ['客播', []],
    ['2024', [1]],
    ['年', [1]],
    ['한국어', [2]],
    ['한국어 사람', [2]],
    ['국어', [2]],
    ['ภาษา', [3]],
    ['ทดสอบ', [3]],
    ['ไทย', [3]],
    ['ไทย การ', [3]],
    ['ພາສາ', [4]],
    ['ລາວ', [4]],
    ['ខ្មែរ', [5]],
    ['ភាសា', [5]],
    ['ဘာသာ', [6]],
    ['မြန်မာ', [6]],
    ['ΑΘΗΝΑ', [7]],
    ['αθήνα', [7]],
    ['ελλαδα', [7]],
    ['ΘΕΣΣΑΛΟΝ', [7]],
    ['手机', [8]],
    ['iphone', [8]],
    ['IPHONE手机', [8]],
    ['手机iph', [8]],
    ['カメラ', [8]],
    ['ｶﾒﾗ', [8]],
    ['テスト', [9]],
    ['ガイ', [9]],
    ['カイ', []],
    ['fine full', [10]],
    ['strasse', []],
  ])('%p finds items that everyone sees and own private ones alike', async (q, numbers) => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    for (const visibility of ['public', 'private'] as const) {
      for (const title of TITLES) await ada.client.api.v2.items.post({ title, visibility });
    }
    expect((await get(t, { q })).ids?.toReversed()).toEqual(numbers);
    const all = numbers.flatMap((id) => [id, id + TITLES.length]).toSorted((a, b) => a - b);
    expect((await get(t, { q, sort: 'id' }, ada.token)).ids).toEqual(all);
  });

  test('follow each change of an item', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const item = client.api.v2.items({ item_id: 1 });
    const found = async (q: string) => (await get(t, { q })).ids;
    await client.api.v2.items.post({ title: '静默播客', tags: ['飞书文档'] });
    expect([await found('默播'), await found('书文')]).toEqual([[1], [1]]);
    await item.patch({ title: '手机相册' });
    expect([await found('默播'), await found('机相'), await found('书文')]).toEqual([[], [1], [1]]);
    await item.patch({ visibility: 'private' });
    expect(await found('机相')).toEqual([]);
    await item.patch({ visibility: 'public' });
    expect(await found('机相')).toEqual([1]);
    await item.delete();
    expect(await found('机相')).toEqual([]);
    await item.restore.post();
    expect(await found('机相')).toEqual([1]);
    await item.patch({ title: 'plain', tags: [] });
    expect([await found('机相'), await found('书文'), await found('plain')]).toEqual([[], [], [1]]);
  });

  test('are found in batches and imports', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const batch = { operations: [{ op: 'create', item: { title: '静默播客' } }] };
    expect((await t.json('POST', '/api/v2/items/batch', batch, token)).status).toBe(200);
    await t.request('POST', '/api/v2/items/import', {
      token,
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"title":"ภาษาไทย"}\n',
    });
    expect((await get(t, { q: '播客' })).ids).toEqual([1]);
    expect((await get(t, { q: 'ไทย' })).ids).toEqual([2]);
  });

  test('of items from before are indexed in the background', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const { client } = t.deps.db;
    const insert = client.prepare(
      `insert into items (owner_id, title, description, created_at, updated_at) values (1, ?, '', '2020', '2020')`,
    );
    for (let n = 0; n < 100; n++) insert.run(n % 3 === 0 ? `静默播客 ${n}` : `plain ${n}`);
    client.run('insert into search_reindex select max(id) + 1 from items');
    expect((await get(t, { q: '播客' })).ids).toEqual([]);
    await t.deps.jobs.runAll();
    expect((await get(t, { q: '播客', limit: '100' })).ids).toHaveLength(34);
    expect((await get(t, { q: 'plain', limit: '100' })).ids).toHaveLength(66);
    expect(client.query('select * from search_reindex').all()).toEqual([]);
  });
});
