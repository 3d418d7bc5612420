import { expect, test } from 'bun:test';
import { type TestApp, testApp } from '../support.ts';

const stored = (t: TestApp) =>
  t.deps.db.client.query('select views from item_views where item_id = 1').values()[0]?.[0];

async function withItem() {
  const t = await testApp();
  const { client } = await t.signUp('ada');
  await client.api.v1.items.post({ title: 'a' });
  return t;
}

test('a view costs no transaction of its own', async () => {
  await using t = await withItem();
  const before = t.deps.db.stats().commits;
  for (let view = 0; view < 20; view++) await t.deps.items.view(1);
  expect(t.deps.db.stats().commits).toBe(before);
  expect(stored(t)).toBe(0);
  expect(t.deps.views.pending(1)).toBe(20);
});

test('views are written by themselves within a moment', async () => {
  await using t = await withItem();
  await t.deps.items.view(1);
  for (let tries = 0; tries < 100 && stored(t) === 0; tries++) await Bun.sleep(20);
  expect(stored(t)).toBe(1);
  expect(t.deps.views.pending(1)).toBe(0);
});

test('views are written at the end', async () => {
  const t = await withItem();
  const { client } = t.deps.db;
  let last: unknown;
  const { close } = client;
  client.close = () => {
    last = stored(t);
    close.call(client);
  };
  await t.deps.items.view(1);
  await t[Symbol.asyncDispose]();
  expect(last).toBe(1);
});

test('the answer is stored plus pending while a flush is under way', async () => {
  await using t = await withItem();
  const seen: number[] = [];
  for (let round = 0; round < 200; round++) {
    if (round % 7 === 0) void t.deps.views.flush();
    seen.push((await t.deps.items.view(1)).views);
  }
  expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test('views that cannot be written stay pending', async () => {
  await using t = await withItem();
  await t.deps.items.view(1);
  t.deps.db.client.run(
    'create trigger no before update on item_views begin select raise(abort, 1); end',
  );
  expect(t.deps.views.flush()).rejects.toThrow();
  await t.deps.views.flush().catch(() => {});
  expect(t.deps.views.pending(1)).toBe(1);
  t.deps.db.client.run('drop trigger no');
  await t.deps.views.flush();
  expect(stored(t)).toBe(1);
});

test('a view leaves updated_at alone', async () => {
  await using t = await withItem();
  const { updated_at } = await t.deps.items.view(1);
  await t.deps.views.flush();
  expect((await t.deps.items.view(1)).updated_at).toBe(updated_at);
});
