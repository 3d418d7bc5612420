import { describe, expect, test } from 'bun:test';
import type { OutboundOptions } from '../../../src/core/outbound/client.ts';
import { until } from '../../until.ts';
import { codeOf, failureOf, httpUpstream, outboundFor, rawUpstream } from './upstream.ts';

const breaker = { failures: 3, openMs: 10_000 };

/** A host whose health is set by the test, a client with a clock that the test moves. */
function patient(options: Partial<OutboundOptions> = {}) {
  const host = { status: 500, requests: 0, answer: Promise.resolve() };
  const clock = { ms: 1_000_000 };
  const { url, port } = httpUpstream(async () => {
    host.requests += 1;
    await host.answer;
    return Response.json('here', { status: host.status });
  });
  const outbound = outboundFor({ breaker, now: () => clock.ms, ...options });
  const fail = async (times: number) => {
    for (let index = 0; index < times; index += 1) await failureOf(outbound.call({ url }));
  };
  return { host, clock, url, port, outbound, fail };
}

/** Many calls at once; how many had each outcome. */
async function outcomes(call: () => Promise<unknown>, count: number) {
  const ends = await Promise.all(
    Array.from({ length: count }, () =>
      call().then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    ),
  );
  return Object.fromEntries(
    [...Map.groupBy(ends, (end) => end)].map(([end, all]) => [end, all.length]),
  );
}

describe('a host that fails', () => {
  // proves: costly-work.outside-calls
  test('is left alone after as many failures in a row, and the caller told for how long', async () => {
    const { host, clock, url, outbound, fail } = patient();
    await fail(3);
    clock.ms += 4_000;
    const failure = await failureOf(outbound.call({ url }));
    expect(failure).toMatchObject({ code: 'circuit_open', retryAfterMs: 6_000, attempts: 0 });
    expect(host.requests).toBe(3);
  });

  test('is called on while a success comes between its failures', async () => {
    const { host, url, outbound, fail } = patient();
    await fail(2);
    host.status = 200;
    await outbound.call({ url });
    host.status = 500;
    await fail(2);
    expect(host.requests).toBe(5);
    expect(await codeOf(outbound.call({ url }))).toBe('bad_status');
  });

  test('is asked by one of 50 when its time is over, and its success lets all pass', async () => {
    const { host, clock, url, outbound, fail } = patient();
    await fail(3);
    clock.ms += 10_000;
    host.status = 200;
    const { promise, resolve } = Promise.withResolvers<void>();
    host.answer = promise;
    const calls = outcomes(() => outbound.call({ url }), 50);
    await until(() => host.requests === 4);
    expect(outbound.stats().circuits).toMatchObject([{ state: 'half_open', failures: 3 }]);
    resolve();
    expect(await calls).toEqual({ ok: 1, circuit_open: 49 });
    expect(host.requests).toBe(4);
    expect(await outcomes(() => outbound.call({ url }), 50)).toEqual({ ok: 50 });
    expect(outbound.stats().circuits).toEqual([]);
  });

  test('is left alone again when it fails that one too', async () => {
    const { host, clock, url, outbound, fail } = patient();
    await fail(3);
    clock.ms += 10_000;
    await fail(1);
    clock.ms += 9_999;
    expect(await codeOf(outbound.call({ url }))).toBe('circuit_open');
    expect(host.requests).toBe(4);
  });

  test('is asked by the next one when the one that asked goes away', async () => {
    const { host, clock, url, outbound, fail } = patient();
    await fail(3);
    clock.ms += 10_000;
    const { promise, resolve } = Promise.withResolvers<void>();
    host.answer = promise;
    const gone = new AbortController();
    const probe = codeOf(outbound.call({ url, signal: gone.signal }));
    await until(() => host.requests === 4);
    gone.abort();
    expect(await probe).toBe('aborted');
    resolve();
    host.status = 200;
    expect((await outbound.call({ url })).data).toBe('here');
  });

  test('stops those who wait for a place too', async () => {
    const { host, url, outbound } = patient({ maxPerHost: 1 });
    expect(await outcomes(() => outbound.call({ url }), 20)).toEqual({
      bad_status: 3,
      circuit_open: 17,
    });
    expect(host.requests).toBe(3);
  });

  test('is not tried again by the call that opened its circuit', async () => {
    const { host, url, outbound } = patient({ breaker: { ...breaker, failures: 1 } });
    host.status = 503;
    expect(await codeOf(outbound.call({ url, retries: 5 }))).toBe('bad_status');
    expect(host.requests).toBe(1);
  });

  test('stops nobody who wants no breaker, and no other port or owner', async () => {
    const { host, url, port, outbound, fail } = patient();
    const other = httpUpstream(() => Response.json('other'));
    await fail(3);
    host.status = 200;
    expect((await outbound.call({ url, breaker: false })).data).toBe('here');
    expect((await outbound.call({ url: other.url })).data).toBe('other');
    expect((await outbound.call({ url, breaker, owner: 'weather' })).data).toBe('here');
    expect(outbound.stats().circuits).toEqual([
      { host: `127.0.0.1:${port}`, state: 'open', failures: 3 },
    ]);
  });
});

describe('a failure is', () => {
  const once = { breaker: { failures: 1, openMs: 10_000 } };
  const stateAfter = async (url: string, options: Partial<OutboundOptions> = {}) => {
    const outbound = outboundFor({ ...once, ...options });
    await failureOf(outbound.call({ url }));
    return outbound.stats().circuits[0]?.state;
  };

  test.each([500, 501, 503, 599])('status %d', async (status) => {
    const { url } = httpUpstream(() => new Response(null, { status }));
    expect(await stateAfter(url)).toBe('open');
  });

  test('a refused connection', async () => {
    expect(await stateAfter('http://127.0.0.1:1/')).toBe('open');
  });

  test('a reset', async () => {
    const { url } = await rawUpstream((socket) => socket.resetAndDestroy());
    expect(await stateAfter(url)).toBe('open');
  });

  test('an answer that does not come in time', async () => {
    const { url } = await rawUpstream(() => {});
    expect(await stateAfter(url, { attemptMs: 50 })).toBe('open');
  });

  test('a name that has no address', async () => {
    expect(await stateAfter('http://none.test/', { lookup: async () => [] })).toBe('open');
  });

  test.each([400, 404, 429])('not status %d', async (status) => {
    const { url } = httpUpstream(() => new Response(null, { status }));
    expect(await stateAfter(url)).toBeUndefined();
  });

  test('not a body that is no JSON', async () => {
    const { url } = httpUpstream(() => new Response('<p>'));
    expect(await stateAfter(url)).toBeUndefined();
  });

  test('not an address that is refused', async () => {
    expect(await stateAfter('http://10.0.0.1/')).toBeUndefined();
    expect(await stateAfter('nonsense')).toBeUndefined();
  });

  test('not a caller who goes away', async () => {
    const gone = new AbortController();
    const { url } = await rawUpstream(() => gone.abort());
    const outbound = outboundFor(once);
    expect(await codeOf(outbound.call({ url, signal: gone.signal }))).toBe('aborted');
    expect(outbound.stats().circuits).toEqual([]);
  });
});
