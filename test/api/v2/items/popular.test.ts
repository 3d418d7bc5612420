import { expect, test } from 'bun:test';
import { HOUR_MS } from '../../../../src/utils/time/units.ts';
import { testApp } from '../../../support.ts';

const DAY_MS = 24 * HOUR_MS;

async function withItems(count: number) {
  let now = new Date('2026-03-01T05:30:00.000Z');
  const t = await testApp({ now: () => now });
  const ada = await t.signUp('ada');
  for (let id = 1; id <= count; id++) await ada.client.api.v2.items.post({ title: `item ${id}` });
  const view = async (id: number, times: number) => {
    for (let time = 0; time < times; time++) await t.deps.items.view(id);
    await t.deps.views.flush();
  };
  const wait = async (ms: number) => {
    now = new Date(now.getTime() + ms);
    await t.deps.jobs.runAll();
  };
  const get = (query = '') => t.request('GET', `/api/v2/items/popular${query}`);
  const popular = async (query = '') => {
    const { data } = (await (await get(query)).json()) as { data: { id: number }[] };
    return data.map(({ id }) => id);
  };
  const end = () => t[Symbol.asyncDispose]();
  return {
    t,
    items: ada.client.api.v2.items,
    view,
    wait,
    get,
    popular,
    [Symbol.asyncDispose]: end,
  };
}

test('returns the most viewed items of each window first, ties by id, and none without a view', async () => {
  await using it = await withItems(6);
  await it.view(5, 9);
  await it.wait(20 * DAY_MS);
  await it.view(4, 7);
  await it.wait(3 * DAY_MS);
  await it.view(3, 2);
  await it.view(1, 2);
  await it.view(2, 3);
  expect(await it.popular('?window=day')).toEqual([2, 1, 3]);
  expect(await it.popular('?window=week')).toEqual([4, 2, 1, 3]);
  expect(await it.popular('?window=month')).toEqual([5, 4, 2, 1, 3]);
  expect(await it.popular('?window=all')).toEqual([5, 4, 2, 1, 3]);
  await it.wait(10 * DAY_MS);
  expect(await it.popular('?window=month&limit=2')).toEqual([4, 2]);
});

test('returns 10 complete items of the week by default', async () => {
  await using it = await withItems(12);
  for (let id = 1; id <= 12; id++) await it.view(id, id);
  expect(await it.popular()).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  const { data } = await it.t.client.api.v2.items.popular.get({ query: { limit: 1 } });
  const item = (await it.items({ item_id: 12 }).get()).data;
  expect(data).toEqual({ data: [item as NonNullable<typeof item>] });
});

test('counts pending views', async () => {
  await using it = await withItems(1);
  await it.t.deps.items.view(1);
  expect(await it.popular('?window=day')).toEqual([1]);
});

test('is cached per window and limit, and reports it', async () => {
  await using it = await withItems(1);
  const states: unknown[] = [];
  for (const query of ['', '?window=week', '?limit=10&window=week', '?window=day', '?limit=9']) {
    states.push((await it.get(query)).headers.get('x-cache'));
  }
  expect(states).toEqual(['miss', 'hit', 'hit', 'miss', 'miss']);
  expect((await it.get()).headers.get('age')).toBe('0');
});

// proves: costly-work.popular-items
test('50 concurrent requests share one query', async () => {
  await using it = await withItems(2);
  await it.view(1, 1);
  const { misses } = it.t.deps.cache.stats();
  const answers = await Promise.all(Array.from({ length: 50 }, () => it.get()));
  const texts = new Set(await Promise.all(answers.map((answer) => answer.text())));
  expect(texts.size).toBe(1);
  expect(it.t.deps.cache.stats().misses - misses).toBe(50);
  expect(it.t.deps.cache.stats().entries).toBe(1);
});

test('is refreshed by changes that can affect it, which a new item cannot', async () => {
  await using it = await withItems(2);
  await it.view(1, 1);
  const first = async (act: () => Promise<unknown>) => {
    await it.get();
    await act();
    const answer = await it.get();
    const { data } = (await answer.json()) as { data: { title: string }[] };
    return [answer.headers.get('x-cache'), data[0]?.title];
  };
  const one = it.items({ item_id: 1 });
  expect(await first(() => it.items.post({ title: 'new' }))).toEqual(['hit', 'item 1']);
  expect(await first(() => it.items({ item_id: 2 }).patch({ title: 'b' }))).toEqual([
    'hit',
    'item 1',
  ]);
  expect(await first(() => one.patch({ title: 'x' }))).toEqual(['miss', 'x']);
  expect(await first(() => one.patch({ visibility: 'private' }))).toEqual(['miss', undefined]);
  expect(await first(() => one.patch({ visibility: 'public' }))).toEqual(['miss', 'x']);
  expect(await first(() => one.delete())).toEqual(['miss', undefined]);
  expect(await first(() => one.restore.post())).toEqual(['miss', 'x']);
});

test.each([
  ['?window=year', 422],
  ['?limit=0', 422],
  ['?limit=101', 422],
  ['?skip=1', 400],
  ['?window=day&window=week', 400],
])('%s is refused with %d', async (query, status) => {
  await using it = await withItems(0);
  expect((await it.get(query)).status).toBe(status);
});
