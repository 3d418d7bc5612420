import { expect, test } from 'bun:test';
import { actorFor } from '../../../../src/core/actor.ts';
import type { Config } from '../../../../src/core/config/config.ts';
import { nextTurn } from '../../../../src/utils/async/event-loop.ts';
import { NOBODY, type TestApp, testApp } from '../../../support.ts';

const stored = (t: TestApp) =>
  t.deps.db.client.query('select views from item_views where item_id = 1').values()[0]?.[0];

async function withItem(config: Partial<Config> = {}) {
  const t = await testApp({ config });
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

test('views are flushed automatically within a moment', async () => {
  await using t = await withItem();
  await t.deps.items.view(1);
  for (let tries = 0; tries < 100 && stored(t) === 0; tries++) await Bun.sleep(20);
  expect(stored(t)).toBe(1);
  expect(t.deps.views.pending(1)).toBe(0);
});

test('views are flushed when the server stops', async () => {
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

test('a response includes stored and pending views during a flush', async () => {
  await using t = await withItem();
  const seen: number[] = [];
  for (let round = 0; round < 200; round++) {
    if (round % 7 === 0) void t.deps.views.flush();
    seen.push((await t.deps.items.view(1)).views);
  }
  expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
});

test('views that cannot be stored stay pending', async () => {
  await using t = await withItem();
  await t.deps.items.view(1);
  t.deps.db.client.run(
    'create trigger no before update on item_views begin select raise(abort, 1); end',
  );
  await expect(t.deps.views.flush()).rejects.toThrow();
  expect(t.deps.views.pending(1)).toBe(1);
  t.deps.db.client.run('drop trigger no');
  await t.deps.views.flush();
  expect(stored(t)).toBe(1);
});

test('a view does not change updated_at', async () => {
  await using t = await withItem();
  const { updated_at } = await t.deps.items.view(1);
  await t.deps.views.flush();
  expect((await t.deps.items.view(1)).updated_at).toBe(updated_at);
});

test('views of an erased item are dropped, and those of other items are stored', async () => {
  await using t = await withItem();
  const { client } = await t.signUp('bob');
  await client.api.v1.items.post({ title: 'b' });
  await t.deps.items.view(2);
  await t.deps.items.view(1);
  t.deps.db.client.run('delete from items where id = 2');
  await t.deps.views.flush();
  expect(stored(t)).toBe(1);
  expect(t.deps.db.client.query('select item_id, views from item_hours').values()).toEqual([
    [1, 1],
  ]);
  expect(t.deps.views.pending(2)).toBe(0);
});

test('views that a failed flush left pending are flushed automatically', async () => {
  await using t = await withItem();
  await t.deps.items.view(1);
  t.deps.db.client.run(
    'create trigger no before update on item_views begin select raise(abort, 1); end',
  );
  await t.deps.views.flush().catch(() => {});
  t.deps.db.client.run('drop trigger no');
  for (let tries = 0; tries < 100 && stored(t) === 0; tries++) await Bun.sleep(20);
  expect(stored(t)).toBe(1);
});

test('views of more items than fit in one transaction are all stored', async () => {
  await using t = await withItem();
  const ada = actorFor({ id: 1, role: 'user' });
  const fields = { title: 'b', description: '', url: null, tags: [], data: {} };
  const more = Array.from({ length: 599 }, () =>
    t.deps.items.create(ada, { ...fields, visibility: 'public' }),
  );
  for (const { id } of await Promise.all(more)) void t.deps.views.add(id);
  await t.deps.views.flush();
  const sum = t.deps.db.client.query('select sum(views), sum(day), count(*) from item_views');
  expect(sum.values()).toEqual([[599, 599, 600]]);
});

test.each(['batched', 'strict'] as const)(
  '50 clients lose none of their views, %s',
  async (mode) => {
    await using t = await withItem({ viewsMode: mode });
    const client = async () => {
      for (let view = 0; view < 100; view++) {
        await t.deps.items.view(1);
        if (view % 10 === 0) await nextTurn();
      }
    };
    await Promise.all(Array.from({ length: 50 }, client));
    expect((await t.deps.items.get(NOBODY, 1)).views).toBe(5000);
    await t.deps.views.flush();
    expect(stored(t)).toBe(5000);
  },
);

test('a strict view is on disk before its response, and shares its commit with others', async () => {
  await using t = await withItem({ viewsMode: 'strict' });
  await t.deps.items.view(1);
  expect(stored(t)).toBe(1);
  const before = t.deps.db.stats().commits;
  await Promise.all(Array.from({ length: 50 }, () => t.deps.items.view(1)));
  expect(stored(t)).toBe(51);
  expect(t.deps.db.stats().commits - before).toBeLessThanOrEqual(2);
});

test('a strict view that cannot be stored is an error, and is stored later', async () => {
  await using t = await withItem({ viewsMode: 'strict' });
  t.deps.db.client.run(
    'create trigger no before update on item_views begin select raise(abort, 1); end',
  );
  await expect(t.deps.items.view(1)).rejects.toThrow();
  await t.deps.items.view(1).catch(() => {});
  t.deps.db.client.run('drop trigger no');
  await t.deps.views.flush();
  expect(stored(t)).toBe(2);
});
