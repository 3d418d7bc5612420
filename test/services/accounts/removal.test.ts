import { describe, expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../../support.ts';

type Owned = { owner_id: number };
/** A list of v2. */
interface ItemList {
  data: Owned[];
  page: { has_more: boolean; next_cursor: string | null };
  total?: number;
}

/** Ada and Bob with three public items each; Ada also has a private and a binned one. */
async function withTwo() {
  const t = await testApp();
  const [ada, bob] = [await t.signUp('ada'), await t.signUp('bob')];
  for (const { client } of [ada, bob]) {
    for (const title of ['oak hutch', 'elm hutch', 'ash hutch']) {
      const more = { tags: ['wood'], url: 'https://a.example' };
      const { data } = await client.api.v2.items.post({ title, ...more });
      await t.client.api.v2.items({ item_id: data?.id ?? 0 }).views.post();
    }
  }
  const { items } = ada.client.api.v2;
  await items.post({ title: 'private hutch', visibility: 'private' });
  const binned = await items.post({ title: 'binned hutch' });
  await items({ item_id: binned.data?.id ?? 0 }).delete();
  const read = async (path: string) => (await (await t.request('GET', path)).json()) as ItemList;
  return { t, ada, bob, read, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

const ITEMS = '/api/v2/items';
const LISTS = [
  `${ITEMS}?count=exact`,
  ...['id', '-created_at', 'updated_at', 'title', '-views', 'title,-created_at'].map(
    (sort) => `${ITEMS}?sort=${sort}&count=exact`,
  ),
  `${ITEMS}?q=hutch&count=exact`,
  `${ITEMS}?q=hutch&sort=title&count=exact`,
  `${ITEMS}?filter[tags][eq]=wood&count=exact`,
  `${ITEMS}?filter[tags][eq]=wood&sort=-views`,
  `${ITEMS}?filter[url][eq]=https://a.example&sort=id`,
  `${ITEMS}?filter[owner_id][in]=1,2`,
  `${ITEMS}?filter[id][in]=1,2,3,4,5,6`,
  `${ITEMS}?expand=owner`,
  `${ITEMS}/popular?window=all`,
  `${ITEMS}/popular?window=day`,
];

describe('a deleted account', () => {
  // proves: data.accounts
  test('disappears with its items at once, before a row is erased', async () => {
    await using it = await withTwo();
    await it.read(`${ITEMS}/popular?window=all`);
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    for (const path of LISTS) {
      const { data, total = 3 } = await it.read(path);
      const owners = data.map((item) => item.owner_id);
      expect([path, owners, total]).toEqual([path, [2, 2, 2], 3]);
    }
    for (const path of ['/api/v1/items/', '/api/v1/items/popular']) {
      const list = (await (await it.t.request('GET', path)).json()) as Owned[];
      const owners = list.map((item) => item.owner_id);
      expect([path, owners]).toEqual([path, [2, 2, 2]]);
    }
    for (const path of ['/api/v1/items/1', `${ITEMS}/1`, `${ITEMS}/1/stats`]) {
      expect([path, (await it.t.request('GET', path)).status]).toEqual([path, 404]);
    }
    const listed = await it.bob.client.api.v2.items.export.get({ query: { scope: 'listed' } });
    const lines = await new Response(listed.data).text();
    expect(lines.split('\n')).toHaveLength(4);
    expect(it.t.deps.db.client.query('select * from items where owner_id = 1').all()).toHaveLength(
      5,
    );
  }, 30_000);

  // proves: sessions.deactivated-deleted, data.accounts
  test('cannot be signed in to, seen or changed', async () => {
    await using it = await withTwo();
    const root = (await it.t.signUp('root', 'admin')).client.api;
    const token = await it.ada.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'x',
      scopes: ['items:read'],
    });
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    for (const own of [it.ada.token, token.data?.token]) {
      expect((await it.t.clientFor(own).api.v2.users.me.get()).status).toBe(401);
    }
    for (const login of ['ada', 'ada@example.com', 'REMOVED-1']) {
      const answer = await it.t.client.api.v2.auth.login.post({ login, password: PASSWORD });
      expect([login, answer.error?.value]).toMatchObject([login, { code: 'bad_credentials' }]);
    }
    const account = root.v2.users({ user_id: 1 });
    expect((await account.get()).status).toBe(404);
    expect((await account.patch({ is_active: true })).status).toBe(404);
    expect((await account.delete()).status).toBe(404);
    expect((await root.v1.users({ user_id: 1 }).get()).status).toBe(404);
    expect((await root.v1.users.get()).data?.map(({ id }) => id)).toEqual([2, 3]);
    const list = await root.v2.users.get({ query: { count: 'exact' } });
    expect([list.data?.data.map(({ id }) => id), list.data?.total]).toEqual([[2, 3], 2]);
    expect((await root.v2.items({ item_id: 1 }).patch({ title: 'x' })).status).toBe(404);
  });

  // proves: data.accounts
  test('frees its email and username, and passes nothing else on', async () => {
    await using it = await withTwo();
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const next = await it.t.signUp('ada');
    await it.t.deps.jobs.runAll();
    const own = await next.client.api.v2.items.get({ query: { 'filter[owner_id][eq]': next.id } });
    expect(own.data?.data).toEqual([]);
    expect((await next.client.api.v2.users.me.get()).data?.username).toBe('ada');
  });

  // proves: data.and-their-rows, 14.2.4
  test('is erased with all of its data, and no data of others', async () => {
    await using it = await withTwo();
    const { items } = it.ada.client.api.v2;
    await items.post({ title: 'keyed' }, { headers: { 'idempotency-key': 'a' } });
    for (let count = 0; count < 60; count++) await items({ item_id: 1 }).patch({ data: { count } });
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const { client } = it.t.deps.db;
    const tables = client
      .query(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
      .values()
      .flat() as string[];
    const columnsOf = (table: string) =>
      client.query(`select name from pragma_table_info('${table}')`).values().flat();
    await it.t.deps.jobs.runAll();
    const leftIn: string[] = [];
    for (const table of tables.filter((name) => !/audit_log|item_events|items_fts/.test(name))) {
      const isOwn = { user_id: '= 1', owner_id: '= 1', item_id: 'in (1, 2, 3, 7, 8, 9)' };
      for (const [column, own] of Object.entries(isOwn)) {
        if (!columnsOf(table).includes(column)) continue;
        const rows = client.query(`select 1 from ${table} where ${column} ${own}`).all();
        if (rows.length > 0) leftIn.push(`${table}.${column}`);
      }
    }
    expect(leftIn).toEqual([]);
    expect(client.query('select id from users').values().flat()).toEqual([2]);
    expect(client.query('select id from items').values().flat()).toEqual([4, 5, 6]);
    const found = client.query(`select rowid from items_fts where items_fts match 'hutch'`);
    expect(found.values().flat()).toEqual([4, 5, 6]);
  }, 30_000);

  // proves: data.and-their-rows, costly-work.deleting-an-account
  test('is erased in batches, between which others write', async () => {
    await using it = await withTwo();
    const lines = `${JSON.stringify({ title: 'many', description: 'word '.repeat(500) })}\n`;
    const headers = { 'content-type': 'application/x-ndjson' };
    const init = { body: lines.repeat(1000), headers, token: it.ada.token };
    await it.t.request('POST', `${ITEMS}/import`, init);
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const left = () =>
      Number(
        it.t.deps.db.client.query('select count(*) from items where owner_id = 1').values()[0],
      );
    const erased = it.t.deps.jobs.runAll();
    const leftAfter: number[] = [];
    do {
      const made = await it.bob.client.api.v2.items.post({ title: 'meanwhile' });
      expect(made.status).toBe(201);
      leftAfter.push(left());
    } while (leftAfter.at(-1) !== 0);
    await erased;
    expect(leftAfter.filter((count) => count > 0).length).toBeGreaterThan(3);
    const list = await it.bob.client.api.v2.items.get({ query: { count: 'exact' } });
    expect(list.data?.total).toBe(3 + leftAfter.length);
  }, 30_000);

  test('is hidden on every page of a list while it is erased', async () => {
    await using it = await withTwo();
    for (let count = 0; count < 60; count++) {
      const { client } = count % 2 === 0 ? it.ada : it.bob;
      await client.api.v2.items.post({ title: `item ${count}` });
    }
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const owners: number[] = [];
    for (let cursor = ''; ; ) {
      const { data, page } = await it.read(`${ITEMS}?sort=title&limit=10${cursor}`);
      owners.push(...data.map((item) => item.owner_id));
      if (!page.has_more) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(owners).toEqual(Array(33).fill(2));
  }, 30_000);

  test('aborts its own running export', async () => {
    await using it = await withTwo();
    const parts = await it.t.deps.accountExport.begin(it.ada);
    await parts.next();
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    const readAll = async () => {
      for await (const _ of parts);
    };
    await expect(readAll()).rejects.toMatchObject({ code: 'not_found' });
  });
});
