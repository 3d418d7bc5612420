import { expect, test } from 'bun:test';
import { testApp } from '../../support.ts';

// proves: data.personal-items
test('items are erased after 30 days in the bin, with everything that belongs to them', async () => {
  let now = new Date('2026-01-01T00:00:00.000Z');
  await using t = await testApp({ now: () => now });
  const { client } = await t.signUp('ada');
  for (const title of ['old', 'new', 'kept']) {
    await client.api.v2.items.post({ title, tags: ['a'] });
  }
  await client.api.v2.items({ item_id: 1 }).delete();
  now = new Date('2026-01-03T00:00:00.000Z');
  await client.api.v2.items({ item_id: 2 }).delete();
  now = new Date('2026-01-31T00:00:00.000Z');
  await t.deps.jobs.runAll();

  const idsIn = (table: string, column: string) =>
    t.deps.db.client.query(`select distinct ${column} from ${table}`).values().flat();
  expect(idsIn('items', 'id')).toEqual([2, 3]);
  expect(idsIn('item_tags', 'item_id')).toEqual([2, 3]);
  expect(idsIn('item_views', 'item_id')).toEqual([2, 3]);
  expect(idsIn('item_revisions', 'item_id')).toEqual([2]);
  const found = t.deps.db.client.query(`select rowid from items_fts where items_fts match 'old'`);
  expect(found.all()).toEqual([]);
});
