import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../../support.ts';

/** Two spellings of one word: composed, and with accents of their own. */
const NFC = 'Café'.normalize('NFC');
const NFD = 'Café'.normalize('NFD');
/** One character that NFC spells with two. */
const GROWING = '\u0958';
const LONG_AGO = '2020-01-01T00:00:00.000Z';

async function withAda() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  return Object.assign(t, { ada, items: ada.client.api.v2.items });
}

async function idsOf({ request }: TestApp, where: string, token?: string): Promise<number[]> {
  const query = new URLSearchParams({ where });
  const answer = await request('GET', `/api/v2/items?${query}`, token ? { token } : {});
  return (JSON.parse(await answer.text()) as { data: { id: number }[] }).data.map(({ id }) => id);
}

describe('two encodings of a text', () => {
  test('are stored as one, in titles, descriptions and tags', async () => {
    await using t = await withAda();
    const { data } = await t.items.post({ title: NFD, description: NFD, tags: [NFD, NFC, 'b'] });
    expect(data).toMatchObject({ title: NFC, description: NFC, tags: [NFC, 'b'] });
    const { data: changed } = await t.items({ item_id: 1 }).patch({ title: `${NFD} 2` });
    expect(changed).toMatchObject({ title: `${NFC} 2`, version: 2 });
    const same = await t.items({ item_id: 1 }).patch({ title: `${NFC} 2`, tags: [NFD, 'b'] });
    expect(same.data?.version).toBe(2);
  });

  test('are one in a batch, in an import and in v1', async () => {
    await using t = await withAda();
    await t.items.batch.post({ operations: [{ op: 'create', item: { title: NFD } }] });
    await t.request('POST', '/api/v2/items/import', {
      token: t.ada.token,
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify({ title: NFD, tags: [NFD] })}\n`,
    });
    await t.ada.client.api.v1.items.post({ title: NFD });
    expect(await idsOf(t, `title eq ${NFC}`)).toEqual([3, 2, 1]);
  });

  test.each([NFC, NFD])('are found by a filter with either: %#', async (spelling) => {
    await using t = await withAda();
    await t.items.post({ title: `${NFD}, warm`, tags: [NFC] });
    await t.items.post({ title: 'Other' });
    for (const where of [
      `title eq ${spelling}, warm`,
      `title in x,${spelling}\\, warm`,
      `title like *${spelling.slice(1)}*`,
      `title gte ${spelling}`,
      `tags eq ${spelling}`,
      `tags in ${spelling},x`,
    ]) {
      expect([where, await idsOf(t, where)]).toEqual([where, expect.arrayContaining([1])]);
    }
    expect(await idsOf(t, `title ne ${spelling}, warm`)).toEqual([2]);
    expect(await idsOf(t, `tags ne ${spelling}`)).toEqual([2]);
  });

  test.each([NFC, NFD])('are found by words of either: %#', async (spelling) => {
    await using t = await withAda();
    await t.items.post({ title: NFC });
    await t.items.post({ title: NFD, visibility: 'private' });
    const answer = await t.items.get({ query: { q: spelling } });
    expect(answer.data?.data.map(({ id }) => id).toSorted()).toEqual([1, 2]);
  });

  test('stay different in data and urls, which are not prose', async () => {
    await using t = await withAda();
    const url = `https://a.example/${NFD}`;
    const { data } = await t.items.post({ title: 'a', url, data: { [NFD]: NFD, n: NFD } });
    expect(data).toMatchObject({ url, data: { [NFD]: NFD } });
    expect(await idsOf(t, `data.n eq ${NFD}`)).toEqual([1]);
    expect(await idsOf(t, `data.n eq ${NFC}`)).toEqual([]);
    expect(await idsOf(t, `url eq ${url}`)).toEqual([1]);
  });

  test('have the length of the stored one', async () => {
    await using t = await withAda();
    const statusOf = async (title: string) => (await t.items.post({ title })).status;
    expect(await statusOf('é'.normalize('NFD').repeat(200))).toBe(201);
    expect(await statusOf(GROWING.repeat(100))).toBe(201);
    expect(await statusOf(GROWING.repeat(101))).toBe(422);
    expect((await t.ada.client.api.v1.items.post({ title: GROWING.repeat(101) })).status).toBe(422);
  });

  test('of a line end and an accent are read unchanged', async () => {
    await using t = await withAda();
    const { data } = await t.items.post({ title: 'a', tags: ['x\n\u0303', NFD] });
    expect(data?.tags).toEqual(['x\n\u0303', NFC]);
  });
});

describe('an older item in another encoding', () => {
  const old = async (t: TestApp, title: string, visibility = 'public') => {
    t.deps.db.client.run(
      `insert into items (owner_id, title, description, tags, visibility, created_at, updated_at)
       values (1, ?, ?, ?, ?, '${LONG_AGO}', '${LONG_AGO}')`,
      [title, NFD, JSON.stringify([NFD, NFC]), visibility],
    );
  };

  test('is found after it was converted in the background, with the same version', async () => {
    await using t = await withAda();
    for (const visibility of ['public', 'private']) await old(t, NFD, visibility);
    await old(t, GROWING.repeat(200));
    const { client } = t.deps.db;
    client.run('insert into search_reindex select max(id) + 1 from items');
    expect(await idsOf(t, `title eq ${NFC}`, t.ada.token)).toEqual([]);
    await t.deps.jobs.runAll();
    expect(await idsOf(t, `title eq ${NFC}`, t.ada.token)).toEqual([2, 1]);
    expect(await idsOf(t, `tags eq ${NFC}`, t.ada.token)).toEqual([3, 2, 1]);
    const { data } = await t.items({ item_id: 2 }).get();
    expect(data).toMatchObject({ description: NFC, tags: [NFC], version: 1, updated_at: LONG_AGO });
    expect((await t.items({ item_id: 3 }).get()).data?.title).toBe(GROWING.repeat(200));
    expect(await t.deps.usageCheck.find()).toEqual([]);
  });

  test('is reverted in the stored encoding', async () => {
    await using t = await withAda();
    await old(t, NFD);
    await t.items({ item_id: 1 }).patch({ title: 'Other', tags: [] });
    const { data } = await t.items({ item_id: 1 }).revisions.post({ version: 1 });
    expect(data).toMatchObject({ title: NFC, tags: [NFC] });
  });
});

test.each(['1e400', '-1e400', '1E999', '9007199254740993'])(
  'a filter on data by the number %s is refused, and by that text is not',
  async (number) => {
    await using t = await withAda();
    await t.items.post({ title: 'a', data: { n: number } });
    for (const op of ['eq', 'ne', 'gt', 'in']) {
      const query = new URLSearchParams({ where: `data.n ${op} ${number}` });
      const answer = await t.request('GET', `/api/v2/items?${query}`);
      expect([answer.status, JSON.parse(await answer.text())]).toMatchObject([
        400,
        { code: 'invalid_query', errors: [{ message: expect.stringContaining('±(2^53 - 1)') }] },
      ]);
    }
    expect(await idsOf(t, `data.n eq "${number}"`)).toEqual([1]);
  },
);
