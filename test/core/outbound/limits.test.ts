import { expect, test } from 'bun:test';
import { until } from '../../until.ts';
import { codeOf, failureOf, httpUpstream, outboundFor, rawUpstream } from './upstream.ts';

/** Starts an upstream that delays each response and measures its concurrency. */
function gauge(holdMs: number) {
  const seen = { now: 0, most: 0, order: [] as string[] };
  const upstream = httpUpstream(async ({ url }) => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    seen.order.push(new URL(url).pathname);
    await Bun.sleep(holdMs);
    seen.now -= 1;
    return Response.json(1);
  });
  return { seen, ...upstream };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

// proves: limits.outside-calls-at-once
test('the concurrency per host is limited, and all calls complete', async () => {
  const { seen, url } = gauge(5);
  const outbound = outboundFor({ maxPerHost: 3 });
  await Promise.all(times(12).map((index) => outbound.getJson(`${url}${index}`)));
  expect(seen.most).toBe(3);
  expect(seen.order.map((path) => Number(path.slice(1))).toSorted((a, b) => a - b)).toEqual(
    times(12),
  );
});

test('the total concurrency is limited', async () => {
  const hosts = times(4).map(() => gauge(20));
  const outbound = outboundFor({ maxInFlight: 4 });
  let most = 0;
  const calls = hosts.flatMap(({ url }) => times(4).map(() => outbound.getJson(url)));
  const watch = setInterval(() => {
    most = Math.max(
      most,
      hosts.reduce((sum, { seen }) => sum + seen.now, 0),
    );
  }, 1);
  await Promise.all(calls);
  clearInterval(watch);
  expect(most).toBeLessThanOrEqual(4);
  expect(outbound.stats().inFlight).toBe(0);
});

// proves: 15.2.2
test('300 hanging calls to one host do not delay a call to another', async () => {
  const hanging = await rawUpstream(() => {});
  const { url } = httpUpstream(() => Response.json('here'));
  const outbound = outboundFor();
  const stuck = times(300).map(() => codeOf(outbound.getJson(hanging.url)));
  await until(() => hanging.connections === 32);
  expect(outbound.stats()).toMatchObject({ inFlight: 32, queued: 268 });
  expect(await outbound.getJson(url)).toBe('here');
  outbound.close();
  expect(new Set(await Promise.all(stuck))).toEqual(new Set(['aborted']));
  expect(outbound.stats()).toMatchObject({ inFlight: 0, queued: 0 });
});

test('a call beyond the queue is refused as overloaded', async () => {
  const hanging = await rawUpstream(() => {});
  const outbound = outboundFor({ maxPerHost: 1, maxQueued: 1, deadlineMs: 100 });
  const waiting = times(2).map(() => codeOf(outbound.getJson(hanging.url)));
  expect(await codeOf(outbound.getJson(hanging.url))).toBe('overloaded');
  expect(await Promise.all(waiting)).toEqual(['timeout', 'timeout']);
});

test('the deadline includes the time in the queue', async () => {
  const hanging = await rawUpstream(() => {});
  const outbound = outboundFor({ maxPerHost: 1, deadlineMs: 100 });
  const first = codeOf(outbound.getJson(hanging.url));
  const second = await failureOf(outbound.getJson(hanging.url));
  expect(second.message).toEndWith('took longer than 100 ms');
  expect(await first).toBe('timeout');
  expect(outbound.stats().queued).toBe(0);
  expect(hanging.connections).toBe(1);
});

test('a caller that aborts leaves the queue', async () => {
  const hanging = await rawUpstream(() => {});
  const outbound = outboundFor({ maxPerHost: 1, deadlineMs: 100 });
  const first = codeOf(outbound.getJson(hanging.url));
  const gone = new AbortController();
  const second = codeOf(outbound.getJson(hanging.url, { signal: gone.signal }));
  await until(() => outbound.stats().queued === 1);
  gone.abort();
  expect([await second, outbound.stats().queued]).toEqual(['aborted', 0]);
  await first;
});

test('a limit of 0 is rejected', () => {
  expect(() => outboundFor({ maxInFlight: 0 })).toThrow(RangeError);
});

// proves: limits.outside-calls-at-once
test('hanging calls of one owner to many hosts do not delay a call of another', async () => {
  const hanging = await rawUpstream(() => {});
  const { port } = httpUpstream(() => Response.json('here'));
  const lookup = async () => [{ address: '127.0.0.1' }];
  const outbound = outboundFor({ allowHosts: 'any', lookup });
  const urls = times(400).map((index) => `http://h${index}.test:${hanging.port}/`);
  const stuck = urls.map((url) => codeOf(outbound.getJson(url, { owner: 'user 1' })));
  await until(() => hanging.connections === 128);
  const url = `http://live.test:${port}/`;
  expect(await outbound.getJson(url, { owner: 'user 2' })).toBe('here');
  expect(outbound.stats()).toMatchObject({ inFlight: 128, queued: 272, succeeded: 1 });
  outbound.close();
  expect(new Set(await Promise.all(stuck))).toEqual(new Set(['aborted']));
});

// proves: limits.outside-calls-at-once
test('hanging calls of one owner leave a quarter of the places of a host to others', async () => {
  const { url, connections } = await hangingFor('/slow');
  const outbound = outboundFor({ maxPerHost: 32 });
  const stuck = times(300).map(() => codeOf(outbound.getJson(`${url}slow`, { owner: 'user 1' })));
  await until(() => connections() === 24);
  expect(await outbound.getJson(url, { owner: 'user 2' })).toBe('here');
  outbound.close();
  expect(new Set(await Promise.all(stuck))).toEqual(new Set(['aborted']));
});

// proves: limits.outside-calls-at-once
test('one owner delays another by no more than the places that it holds', async () => {
  const { seen, url } = gauge(5);
  const outbound = outboundFor({ maxPerHost: 8 });
  const many = times(300).map((index) => outbound.getJson(`${url}a${index}`, { owner: 'user 1' }));
  await until(() => seen.order.length >= 6);
  const few = times(8).map((index) => outbound.getJson(`${url}b${index}`, { owner: 'user 2' }));
  await Promise.all([...many, ...few]);
  const last = seen.order.findLastIndex((path) => path.startsWith('/b'));
  expect(seen.order).toHaveLength(308);
  // User 1 has 6 of 8 places at first and half of them later, so the 8 calls should be among the first 30.
  expect(last).toBeLessThan(60);
});

test('a shared request counts against its caller, not its owner', async () => {
  const { url, connections } = await hangingFor('/slow');
  const outbound = outboundFor({ maxPerHost: 32 });
  const request = { url: `${url}slow`, owner: 'source 1' };
  const stuck = times(100).map(() => codeOf(outbound.call(request, { caller: 'user 1' })));
  await until(() => connections() === 24);
  const other = await outbound.call({ url, owner: 'source 1' }, { caller: 'user 2' });
  expect(other.data).toBe('here');
  outbound.close();
  await Promise.all(stuck);
});

/** Starts an upstream that never responds to one path and responds to all others immediately. */
async function hangingFor(path: string) {
  let hanging = 0;
  const { url } = httpUpstream((request) => {
    if (new URL(request.url).pathname !== path) return Response.json('here');
    hanging += 1;
    return new Promise<Response>(() => {});
  });
  return { url, connections: () => hanging };
}
