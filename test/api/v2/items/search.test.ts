import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { testApp } from '../../../support.ts';
import { getItems, withItems } from './list-support.ts';

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
  ])('%p finds the best match first', async (q, ids) => {
    await using it = await withItems();
    expect(await getItems(it.t, { q })).toMatchObject({ status: 200, ids });
  });

  test('find no private items of others', async () => {
    await using it = await withItems();
    expect((await getItems(it.t, 'q=100', it.ada.token)).ids).toEqual([3]);
    expect((await getItems(it.t, 'q=100')).ids).toEqual([]);
  });

  test('combine with a filter, a sort and pages', async () => {
    await using it = await withItems();
    expect((await getItems(it.t, 'q=hutch&filter[tags][eq]=straw')).ids).toEqual([4]);
    expect((await getItems(it.t, 'q=hutch&sort=title', it.ada.token)).ids).toEqual([3, 1, 4]);
    const first = await getItems(it.t, 'q=hutch&limit=1', it.ada.token);
    const cursor = first.body.page.next_cursor;
    const rest = await getItems(it.t, `q=hutch&cursor=${cursor}`, it.ada.token);
    expect([...(first.ids ?? []), ...(rest.ids ?? [])].toSorted()).toEqual([1, 3, 4]);
  });

  test('are safe, whatever they contain', async () => {
    await using it = await withItems();
    const unit = fc.oneof(
      fc.constantFrom(...`"'*^:(){}[]+-, \\\0`, 'AND', 'OR', 'NOT', 'NEAR', 'title', 'hut', '́'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
    );
    const words = fc.array(unit, { maxLength: 30 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(words, async (q) => {
        const { status } = await getItems(it.t, { q });
        expect([q, [200, 422].includes(status)]).toEqual([q, true]);
      }),
      { numRuns: 500 },
    );
    for (const q of ['a '.repeat(5000), 'x'.repeat(10_000), '"'.repeat(10_000)]) {
      expect((await getItems(it.t, { q })).status).toBe(200);
    }
  }, 30_000);
});

test('a search sorted by several keys continues from a cursor', async () => {
  await using it = await withItems();
  const ids: number[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = `q=hutch&sort=-views,relevance,-created_at&limit=1${cursor && `&cursor=${cursor}`}`;
    const { body } = await getItems(it.t, query, it.ada.token);
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
  ])('%p finds public items and own private ones alike', async (q, numbers) => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    for (const visibility of ['public', 'private'] as const) {
      for (const title of TITLES) await ada.client.api.v2.items.post({ title, visibility });
    }
    expect((await getItems(t, { q })).ids?.toReversed()).toEqual(numbers);
    const all = numbers.flatMap((id) => [id, id + TITLES.length]).toSorted((a, b) => a - b);
    expect((await getItems(t, { q, sort: 'id' }, ada.token)).ids).toEqual(all);
  });

  test('follow each change of an item', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const item = client.api.v2.items({ item_id: 1 });
    const found = async (q: string) => (await getItems(t, { q })).ids;
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
    expect((await getItems(t, { q: '播客' })).ids).toEqual([1]);
    expect((await getItems(t, { q: 'ไทย' })).ids).toEqual([2]);
  });

  test('of older items are indexed in the background', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const { client } = t.deps.db;
    const insert = client.prepare(
      `insert into items (owner_id, title, description, created_at, updated_at) values (1, ?, '', '2020', '2020')`,
    );
    for (let n = 0; n < 100; n++) insert.run(n % 3 === 0 ? `静默播客 ${n}` : `plain ${n}`);
    client.run('insert into search_reindex select max(id) + 1 from items');
    client.run('delete from items_fts_pending');
    expect((await getItems(t, { q: '播客' })).ids).toEqual([]);
    await t.deps.jobs.runAll();
    expect((await getItems(t, { q: '播客', limit: '100' })).ids).toHaveLength(34);
    expect((await getItems(t, { q: 'plain', limit: '100' })).ids).toHaveLength(66);
    expect(client.query('select * from search_reindex').all()).toEqual([]);
  });
});
