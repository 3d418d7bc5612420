import { expect, test } from 'bun:test';
import { eq, sql } from 'drizzle-orm';
import { prepare } from '../../../src/core/db/query.ts';
import { type User, users } from '../../../src/models/index.ts';
import { items } from '../../../src/services/items/rows.ts';
import { testApp } from '../../support.ts';

test('rows equal those of Drizzle, including booleans and nulls', async () => {
  await using t = await testApp();
  const ada = await t.signUp('ada');
  await ada.client.api.v1.items.post({ title: 'no url' });
  const { read } = t.deps.db;
  const allUsers = prepare<Record<string, never>, User[]>((orm) => orm.select().from(users));
  const allItems = prepare<Record<string, never>, unknown[]>((orm) => orm.select().from(items));
  expect(await allUsers(read, {})).toEqual(await read.orm.select().from(users));
  expect((await allUsers(read, {}))[0]?.is_active).toBe(true);
  expect(await allItems(read, {})).toEqual(await read.orm.select().from(items));
});

test('a join whose columns share a name uses Drizzle', async () => {
  await using t = await testApp();
  const ada = await t.signUp('ada');
  await ada.client.api.v1.items.post({ title: 'a' });
  const joined = prepare<{ id: number }, { item: number; owner: number }[]>((orm) =>
    orm
      .select({ item: items.id, owner: users.id })
      .from(items)
      .innerJoin(users, eq(users.id, items.owner_id))
      .where(eq(items.id, sql.placeholder('id'))),
  );
  expect(await joined(t.deps.db.read, { id: 1 })).toEqual([{ item: 1, owner: ada.id }]);
});

test('a query is prepared once per connection', async () => {
  await using t = await testApp();
  let built = 0;
  const query = prepare<Record<string, never>, unknown[]>((orm) => {
    built++;
    return orm.select().from(items);
  });
  await query(t.deps.db.read, {});
  await query(t.deps.db.read, {});
  await t.deps.db.write((tx) => query(tx, {}));
  await t.deps.db.write((tx) => query(tx, {}));
  expect(built).toBe(2);
});
