import { expect, test } from 'bun:test';
import { HOUR_MS } from '../../../../src/utils/time/units.ts';
import { testApp } from '../../../support.ts';

const DAY_MS = 24 * HOUR_MS;

async function withItem() {
  let now = new Date('2026-03-10T05:30:00.000Z');
  const t = await testApp({ now: () => now });
  const ada = await t.signUp('ada');
  await ada.client.api.v2.items.post({ title: 'a' });
  const view = async (times: number) => {
    for (let time = 0; time < times; time++) await t.deps.items.view(1);
    await t.deps.views.flush();
  };
  const wait = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  const stats = async (window: 'day' | 'week' | 'month' | 'year') => {
    const { data } = await t.client.api.v2.items({ item_id: 1 }).stats.get({ query: { window } });
    return data as NonNullable<typeof data>;
  };
  const end = () => t[Symbol.asyncDispose]();
  return { t, ada, view, wait, stats, [Symbol.asyncDispose]: end };
}

test('the day has 24 hours, including zeroes and pending views', async () => {
  await using it = await withItem();
  await it.view(2);
  it.wait(23 * HOUR_MS);
  await it.t.deps.items.view(1);
  const { series, ...rest } = await it.stats('day');
  expect(rest).toEqual({ window: 'day', unit: 'hour', views: 3 });
  expect(series.length).toBe(24);
  expect(series[0]).toEqual({ at: '2026-03-10T05:00:00.000Z', views: 2 });
  expect(series[1]).toEqual({ at: '2026-03-10T06:00:00.000Z', views: 0 });
  expect(series[23]).toEqual({ at: '2026-03-11T04:00:00.000Z', views: 1 });
  it.wait(HOUR_MS);
  expect((await it.stats('day')).series[0]?.views).toBe(0);
});

test.each([
  ['week', 7],
  ['month', 30],
  ['year', 365],
] as const)('the %s is %d days, folded or not', async (window, days) => {
  await using it = await withItem();
  await it.view(2);
  it.wait((days - 1) * DAY_MS);
  await it.view(3);
  const before = await it.stats(window);
  await it.t.deps.jobs.runAll();
  expect(await it.stats(window)).toEqual(before);
  const { series, ...rest } = before;
  expect(rest).toEqual({ window, unit: 'day', views: 5 });
  expect(series.length).toBe(days);
  expect(series[0]).toEqual({ at: '2026-03-10T00:00:00.000Z', views: 2 });
  expect(series.at(-1)?.views).toBe(3);
  it.wait(DAY_MS);
  expect((await it.stats(window)).views).toBe(3);
});

test('the default window is the week', async () => {
  await using it = await withItem();
  const { data } = await it.t.client.api.v2.items({ item_id: 1 }).stats.get();
  expect([data?.window, data?.series.length]).toEqual(['week', 7]);
});

test('statistics of a private item are for its owner only, and of a missing item for no one', async () => {
  await using it = await withItem();
  const path = '/api/v2/items/1/stats';
  await it.ada.client.api.v2.items({ item_id: 1 }).patch({ visibility: 'private' });
  const { token } = await it.t.signUp('root', 'admin');
  const answers = [
    await it.t.request('GET', path, { token: it.ada.token }),
    await it.t.request('GET', path, { token }),
    await it.t.request('GET', path),
    await it.t.request('GET', '/api/v2/items/7/stats'),
    await it.t.request('GET', `${path}?window=all`),
    await it.t.request('GET', `${path}?from=2026`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 404, 422, 400]);
});
