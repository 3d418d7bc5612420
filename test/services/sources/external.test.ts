import { expect, test } from 'bun:test';
import { createExternal } from '../../../src/services/sources/external.ts';
import { httpUpstream, outboundFor, rawUpstream } from '../../core/outbound/upstream.ts';

const external = () => createExternal({ outbound: outboundFor({ deadlineMs: 300 }) });

const codeOf = (fetching: Promise<unknown>) =>
  fetching.then(
    () => undefined,
    (error) => error.code,
  );

test('results have the order of the URLs, whichever responds first', async () => {
  const { url } = httpUpstream(async ({ url }) => {
    const delayMs = Number(new URL(url).pathname.slice(1));
    await Bun.sleep(delayMs);
    return Response.json(delayMs);
  });
  expect(await external().fetchAll([`${url}40`, `${url}1`, `${url}20`])).toEqual([40, 1, 20]);
});

test('at most 32 URLs of one host are fetched at the same time', async () => {
  let active = 0;
  let most = 0;
  const { url } = httpUpstream(async () => {
    active += 1;
    most = Math.max(most, active);
    await Bun.sleep(30);
    active -= 1;
    return Response.json(1);
  });
  await external().fetchAll(Array.from({ length: 40 }, (_, index) => `${url}${index}`));
  expect(most).toBe(32);
});

test('a URL that is named twice is fetched once and returned twice', async () => {
  let requests = 0;
  const { url } = httpUpstream(() => {
    requests += 1;
    return Response.json(requests);
  });
  expect(await external().fetchAll([url, url])).toEqual([1, 1]);
});

test('no URLs give no results', async () => {
  expect(await external().fetchAll([])).toEqual([]);
});

test('a URL that fails lets the others finish before the call fails', async () => {
  let requests = 0;
  const { url } = httpUpstream(async () => {
    await Bun.sleep(20);
    requests += 1;
    return Response.json(1);
  });
  expect(await codeOf(external().fetchAll(['http://10.0.0.1/', url]))).toBe('upstream_failed');
  expect(requests).toBe(1);
});

test('the error is that of the first URL that failed, in the order of the URLs', async () => {
  const { url } = httpUpstream(() => new Response(null, { status: 404 }));
  expect(await codeOf(external().fetchAll([url, 'nonsense']))).toBe('upstream_failed');
  expect(await codeOf(external().fetchAll(['nonsense', url]))).toBe('validation_failed');
});

test('a client that disconnects aborts every URL', async () => {
  let connections = 0;
  const gone = new AbortController();
  const hanging = await rawUpstream(() => {
    connections += 1;
    if (connections === 2) gone.abort();
  });
  const urls = [`${hanging.url}1`, `${hanging.url}2`];
  const failure = await external()
    .fetchAll(urls, { signal: gone.signal })
    .catch((error) => error);
  expect(failure).toMatchObject({ code: 'upstream_failed' });
  expect(connections).toBe(2);
});

test('an internal error is thrown unchanged', async () => {
  const outbound = { getJson: () => Promise.reject(new TypeError('bug')) };
  await expect(createExternal({ outbound }).fetchAll(['http://a.test/'])).rejects.toThrow('bug');
});
