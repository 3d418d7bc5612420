import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { migrate } from '../../../../src/core/db/migrations.ts';
import { items } from '../../../../src/resources/items.ts';
import { createItemList } from '../../../../src/services/items/list.ts';
import { searchTables } from '../../../../src/services/resources/search/pending.ts';
import { NOBODY, type TestApp, testApp } from '../../../support.ts';

async function found(t: TestApp, q: string, cursor?: string) {
  const { list } = createItemList(t.deps);
  const { data, page } = await list(NOBODY, { q, filters: [], limit: 100, columns: [], cursor });
  return { ids: data.map(({ id }) => id), page };
}

function pendingIn({ deps }: TestApp): number[] {
  return deps.db.client.query('select id from items_fts_pending').values().flat() as number[];
}

function insertMany({ deps }: TestApp, count: number): void {
  deps.db.client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
     insert into items (owner_id, title, description, created_at, updated_at)
     select 1, 'straw ' || i, '', '2026', '2026' from n`,
    [count],
  );
}

describe('a search right after a change', () => {
  test('finds a new item, and a changed one by its new words alone', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v2.items.post({ title: 'straw' });
    expect((await found(t, 'straw')).ids).toEqual([1]);
    await client.api.v2.items({ item_id: 1 }).patch({ title: 'wood' });
    expect((await found(t, 'straw')).ids).toEqual([]);
    expect((await found(t, 'wood')).ids).toEqual([1]);
  });

  test.each(['private', 'binned', 'erased'])('does not find an item that is %s', async (how) => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v2.items.post({ title: 'straw' });
    await client.api.v2.items.post({ title: 'more straw' });
    expect((await found(t, 'straw')).ids).toEqual([2, 1]);
    const item = client.api.v2.items({ item_id: 1 });
    if (how === 'private') await item.patch({ visibility: 'private' });
    else await item.delete();
    if (how === 'erased') t.deps.db.client.run('delete from items where id = 1');
    expect((await found(t, 'straw')).ids).toEqual([2]);
    const entries = t.deps.db.client.query(
      `select rowid from items_fts where items_fts match 'straw'`,
    );
    expect(entries.values()).toEqual([[2]]);
  });

  test('finds an item that was restored or made public', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v2.items.post({ title: 'straw' });
    await client.api.v2.items.post({ title: 'straw', visibility: 'private' });
    await client.api.v2.items({ item_id: 1 }).delete();
    expect((await found(t, 'straw')).ids).toEqual([]);
    await client.api.v2.items({ item_id: 1 }).restore.post();
    await client.api.v2.items({ item_id: 2 }).patch({ visibility: 'public' });
    expect((await found(t, 'straw')).ids).toEqual([2, 1]);
  });
});

describe('the rows that wait to be indexed', () => {
  test('are none of the private ones, and none after a change of other fields', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await client.api.v2.items.post({ title: 'straw', visibility: 'private' });
    await client.api.v2.items({ item_id: 1 }).patch({ title: 'wood' });
    expect(pendingIn(t)).toEqual([]);
    await client.api.v2.items.post({ title: 'straw' });
    expect(pendingIn(t)).toEqual([2]);
    await found(t, 'straw');
    await client.api.v2.items({ item_id: 2 }).patch({ url: 'https://a.example' });
    expect(pendingIn(t)).toEqual([]);
  });

  test('are indexed by a recurring job', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    insertMany(t, 1_000);
    await t.deps.jobs.runAll();
    expect(pendingIn(t)).toEqual([]);
    expect((await found(t, 'straw 77')).ids).toContain(77);
  });

  test('are indexed by one search up to a bound; its page is empty and followed by all of them', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    insertMany(t, 2_500);
    const first = await found(t, '2500');
    expect(first).toMatchObject({ ids: [], page: { has_more: true } });
    const left = pendingIn(t).length;
    expect(left).toBeLessThan(2_500);
    expect(left).toBeGreaterThan(0);
    let { ids, page } = first;
    for (let pages = 0; page.next_cursor !== null && pages < 20; pages++) {
      ({ ids, page } = await found(t, '2500', page.next_cursor));
    }
    expect(ids).toEqual([2_500]);
    expect(pendingIn(t)).toEqual([]);
  });

  test('are those of a committed change alone', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const failed = t.deps.db.write(async (tx) => {
      tx.orm.run(
        `insert into items (owner_id, title, description, created_at, updated_at) values (1, 'straw', '', '2026', '2026')`,
      );
      throw new Error('rolled back');
    });
    expect(await failed.catch((error: Error) => error.message)).toBe('rolled back');
    expect(pendingIn(t)).toEqual([]);
  });
});

test('the migrations create the tables and triggers that the engine creates for a new resource', () => {
  using client = new Database(':memory:');
  migrate(client);
  const { names, statements } = searchTables(items.definition);
  expect(names.length).toBeGreaterThan(2);
  const plain = (sql: string) => sql.replace(/["`'\s]/g, '').toLowerCase();
  const created = client
    .query(`select sql from sqlite_master where name like 'items%fts%' or type = 'trigger'`)
    .values()
    .flatMap(([sql]) => (sql ? [plain(String(sql))] : []));
  const wanted = statements.filter((sql) => sql.startsWith('CREATE')).map(plain);
  expect(wanted.length).toBeGreaterThan(4);
  for (const sql of wanted) expect(created).toContain(sql);
});
