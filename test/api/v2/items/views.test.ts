import { expect, test } from 'bun:test';
import type { Config } from '../../../../src/core/config/config.ts';
import { NOBODY, testApp } from '../../../support.ts';

const BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36';

async function withItem(config: Partial<Config> = {}) {
  let now = new Date('2026-03-10T05:30:00.000Z');
  const t = await testApp({ config, now: () => now });
  const ada = await t.signUp('ada');
  await ada.client.api.v2.items.post({ title: 'a' });
  const wait = (seconds: number) => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  const send = (agent: string | undefined, token?: string) =>
    t.request('POST', '/api/v2/items/1/views', {
      ...(agent !== undefined && { headers: { 'user-agent': agent } }),
      ...(token && { token }),
    });
  const view = async (agent?: string, token?: string) => {
    const { views, counted } = (await (await send(agent, token)).json()) as {
      views: number;
      counted: boolean;
    };
    return [views, counted];
  };
  const end = () => t[Symbol.asyncDispose]();
  return { t, ada, wait, send, view, [Symbol.asyncDispose]: end };
}

test('a viewer counts once per window', async () => {
  await using it = await withItem();
  expect(await it.view(BROWSER)).toEqual([1, true]);
  it.wait(1799);
  expect(await it.view(BROWSER)).toEqual([1, false]);
  it.wait(2);
  expect(await it.view(BROWSER)).toEqual([2, true]);
});

test('viewers are distinguished by account, otherwise by address and user agent', async () => {
  await using it = await withItem();
  const bob = await it.t.signUp('bob');
  expect(await it.view(BROWSER)).toEqual([1, true]);
  expect(await it.view('Other/1.0')).toEqual([2, true]);
  expect(await it.view(BROWSER, it.ada.token)).toEqual([3, true]);
  expect(await it.view('Other/1.0', it.ada.token)).toEqual([3, false]);
  expect(await it.view(BROWSER, bob.token)).toEqual([4, true]);
});

test('a viewer without an account is recognised for one UTC day at most', async () => {
  await using it = await withItem({ viewWindowSeconds: 86_400 });
  expect(await it.view(BROWSER)).toEqual([1, true]);
  it.wait(18 * 3600);
  expect(await it.view(BROWSER)).toEqual([1, false]);
  it.wait(3600);
  expect(await it.view(BROWSER)).toEqual([2, true]);
});

test('without a window every call counts', async () => {
  await using it = await withItem({ viewWindowSeconds: 0 });
  expect([await it.view(BROWSER), await it.view(BROWSER)]).toEqual([
    [1, true],
    [2, true],
  ]);
});

test('50 concurrent views of one viewer count once', async () => {
  await using it = await withItem();
  const all = await Promise.all(Array.from({ length: 50 }, () => it.view(BROWSER)));
  expect(all.filter(([, counted]) => counted).length).toBe(1);
  expect((await it.t.deps.items.get(NOBODY, 1)).views).toBe(1);
});

test.each([
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Twitterbot/1.0',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36',
])('%s is a bot and does not count', async (agent) => {
  await using it = await withItem();
  expect(await it.view(agent)).toEqual([0, false]);
});

test.each([
  BROWSER,
  'Bun/1.4.5',
  'curl/8',
  'curl/8.14.1',
  'okhttp/4.12.0',
  'MyApp/3.2 CFNetwork/1410.0 Darwin/22.6.0',
  undefined,
])('%s is not a bot', async (agent) => {
  await using it = await withItem();
  expect(await it.view(agent)).toEqual([1, true]);
});

test('a view of an item that the caller may not see does not count', async () => {
  await using it = await withItem();
  await it.ada.client.api.v2.items({ item_id: 1 }).patch({ visibility: 'private' });
  const { token } = await it.t.signUp('root', 'admin');
  expect((await it.send(BROWSER)).status).toBe(404);
  expect((await it.send(BROWSER, token)).status).toBe(404);
  expect(await it.view(BROWSER, it.ada.token)).toEqual([1, true]);
  await it.ada.client.api.v2.items({ item_id: 1 }).delete();
  expect((await it.send(BROWSER, it.ada.token)).status).toBe(404);
});

test('a view does not change the item', async () => {
  await using it = await withItem();
  const one = it.ada.client.api.v2.items({ item_id: 1 });
  const before = (await one.get()).data;
  await it.view(BROWSER);
  await it.t.deps.views.flush();
  const { data, response } = await one.get();
  expect(data).toEqual({ ...before, views: 1 } as typeof data);
  expect(response?.headers.get('etag')).toBe('"v1"');
});

test('v1 counts every read, unless its own window is set', async () => {
  const reads = async (config: Partial<Config>) => {
    await using it = await withItem(config);
    const read = () => it.t.client.api.v1.items({ item_id: 1 }).get();
    return [(await read()).data?.views, (await read()).data?.views];
  };
  expect(await reads({})).toEqual([1, 2]);
  expect(await reads({ viewWindowV1Seconds: 60 })).toEqual([1, 1]);
});

test('with strict views the response follows the commit', async () => {
  await using it = await withItem({ viewsMode: 'strict' });
  await it.view(BROWSER);
  const stored = it.t.deps.db.client.query('select views from item_views').values();
  expect(stored).toEqual([[1]]);
});
