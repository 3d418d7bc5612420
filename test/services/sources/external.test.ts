import { expect, test } from 'bun:test';
import { createExternal } from '../../../src/services/sources/external.ts';
import { httpUpstream, outboundFor, rawUpstream } from '../../core/outbound/upstream.ts';

const external = () => createExternal({ outbound: outboundFor({ deadlineMs: 300 }) });

test('results are in the order asked, whoever answers first', async () => {
  const { url } = httpUpstream(async ({ url }) => {
    const delayMs = Number(new URL(url).pathname.slice(1));
    await Bun.sleep(delayMs);
    return Response.json(delayMs);
  });
  const results = await external().fetchExternalData([`${url}40`, `${url}1`, `${url}20`]);
  expect(results).toEqual([
    { ok: true, url: `${url}40`, data: 40 },
    { ok: true, url: `${url}1`, data: 1 },
    { ok: true, url: `${url}20`, data: 20 },
  ]);
});

test('32 URLs of one host are on the wire at the same time and no more', async () => {
  let now = 0;
  let most = 0;
  const { url } = httpUpstream(async () => {
    now += 1;
    most = Math.max(most, now);
    await Bun.sleep(30);
    now -= 1;
    return Response.json(1);
  });
  await external().fetchExternalData(Array.from({ length: 40 }, (_, index) => `${url}${index}`));
  expect(most).toBe(32);
});

// proves: 16.5.2
test('a URL that fails does not lose the others', async () => {
  const { url } = httpUpstream(() => Response.json('here'));
  const hanging = await rawUpstream(() => {});
  const urls = ['nonsense', url, hanging.url, 'http://10.0.0.1/', `${url}2`];
  const results = await external().fetchExternalData(urls);
  expect(results.map((result) => (result.ok ? result.data : result.error.code))).toEqual([
    'url_refused',
    'here',
    'timeout',
    'address_refused',
    'here',
  ]);
  expect(results.map(({ url }) => url)).toEqual(urls);
});

test('a URL that is named twice is fetched once and answered twice', async () => {
  let requests = 0;
  const { url } = httpUpstream(() => {
    requests += 1;
    return Response.json(requests);
  });
  const results = await external().fetchExternalData([url, url]);
  expect(results).toEqual([
    { ok: true, url, data: 1 },
    { ok: true, url, data: 1 },
  ]);
});

test('no URLs give no results', async () => {
  expect(await external().fetchExternalData([])).toEqual([]);
});

test('a caller that goes away aborts every URL', async () => {
  const hanging = await rawUpstream(() => gone.abort());
  const gone = new AbortController();
  const urls = [`${hanging.url}1`, `${hanging.url}2`];
  const results = await external().fetchExternalData(urls, { signal: gone.signal });
  expect(results.map((result) => !result.ok && result.error.code)).toEqual(['aborted', 'aborted']);
});

test('a fault of our own rejects', async () => {
  const outbound = { getJson: () => Promise.reject(new TypeError('bug')) };
  const call = createExternal({ outbound }).fetchExternalData(['http://a.test/']);
  await expect(call).rejects.toThrow('bug');
});

test('all or nothing gives the data in the order asked', async () => {
  const { url } = httpUpstream(({ url }) => Response.json(new URL(url).pathname));
  expect(await external().fetchAll([`${url}b`, `${url}a`])).toEqual(['/b', '/a']);
});

test('all or nothing fails as the first that failed in the order asked', async () => {
  const { url } = httpUpstream(() => new Response(null, { status: 404 }));
  const codeOf = (urls: string[]) =>
    external()
      .fetchAll(urls)
      .catch((error) => error.code);
  expect(await codeOf([url, 'nonsense'])).toBe('upstream_failed');
  expect(await codeOf(['nonsense', url])).toBe('validation_failed');
});
