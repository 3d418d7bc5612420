import { describe, expect, test } from 'bun:test';
import type { OutboundOptions } from '../../../src/core/outbound/client.ts';
import { until } from '../../until.ts';
import { codeOf, failureOf, httpUpstream, outboundFor, rawUpstream } from './upstream.ts';

const breaker = { failures: 3, openMs: 10_000 };

/** Starts a host whose status the test sets, and a client whose clock the test sets. */
function breakerScene(options: Partial<OutboundOptions> = {}) {
  const host = { status: 500, requests: 0, pause: Promise.resolve() };
  const clock = { ms: 1_000_000 };
  const { url, port } = httpUpstream(async () => {
    host.requests += 1;
    await host.pause;
    return Response.json('here', { status: host.status });
  });
  const outbound = outboundFor({ breaker, now: () => clock.ms, ...options });
  const fail = async (times: number) => {
    for (let index = 0; index < times; index += 1) await failureOf(outbound.call({ url }));
  };
  return { host, clock, url, port, outbound, fail };
}

/** Runs concurrent calls and counts their outcomes. */
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

describe('a failing host', () => {
  // proves: costly-work.outside-calls
  test('is not called after consecutive failures, and the error contains the remaining time', async () => {
    const { host, clock, url, outbound, fail } = breakerScene();
    await fail(3);
    clock.ms += 4_000;
    const failure = await failureOf(outbound.call({ url }));
    expect(failure).toMatchObject({ code: 'circuit_open', retryAfterMs: 6_000, attempts: 0 });
    expect(host.requests).toBe(3);
  });

  test('is still called if a success interrupts its failures', async () => {
    const { host, url, outbound, fail } = breakerScene();
    await fail(2);
    host.status = 200;
    await outbound.call({ url });
    host.status = 500;
    await fail(2);
    expect(host.requests).toBe(5);
    expect(await codeOf(outbound.call({ url }))).toBe('bad_status');
  });

  test('gets one probe out of 50 calls after the open time, and its success closes the circuit', async () => {
    const { host, clock, url, outbound, fail } = breakerScene();
    await fail(3);
    clock.ms += 10_000;
    host.status = 200;
    const { promise, resolve } = Promise.withResolvers<void>();
    host.pause = promise;
    const calls = outcomes(() => outbound.call({ url }), 50);
    await until(() => host.requests === 4);
    expect(outbound.stats().circuits).toMatchObject([{ state: 'half_open', failures: 3 }]);
    resolve();
    expect(await calls).toEqual({ ok: 1, circuit_open: 49 });
    expect(host.requests).toBe(4);
    expect(await outcomes(() => outbound.call({ url }), 50)).toEqual({ ok: 50 });
    expect(outbound.stats().circuits).toEqual([]);
  });

  test('is not called again after a failed probe', async () => {
    const { host, clock, url, outbound, fail } = breakerScene();
    await fail(3);
    clock.ms += 10_000;
    await fail(1);
    clock.ms += 9_999;
    expect(await codeOf(outbound.call({ url }))).toBe('circuit_open');
    expect(host.requests).toBe(4);
  });

  test('gets another probe if the caller of the probe aborts', async () => {
    const { host, clock, url, outbound, fail } = breakerScene();
    await fail(3);
    clock.ms += 10_000;
    const { promise, resolve } = Promise.withResolvers<void>();
    host.pause = promise;
    const gone = new AbortController();
    const probe = codeOf(outbound.call({ url, signal: gone.signal }));
    await until(() => host.requests === 4);
    gone.abort();
    expect(await probe).toBe('aborted');
    resolve();
    host.status = 200;
    expect((await outbound.call({ url })).data).toBe('here');
  });

  test('also fails the calls in its queue', async () => {
    const { host, url, outbound } = breakerScene({ maxPerHost: 1 });
    expect(await outcomes(() => outbound.call({ url }), 20)).toEqual({
      bad_status: 3,
      circuit_open: 17,
    });
    expect(host.requests).toBe(3);
  });

  test('is not retried by the call that opened its circuit', async () => {
    const { host, url, outbound } = breakerScene({ breaker: { ...breaker, failures: 1 } });
    host.status = 503;
    expect(await codeOf(outbound.call({ url, retries: 5 }))).toBe('bad_status');
    expect(host.requests).toBe(1);
  });

  test('does not affect calls without a breaker, other ports or other owners', async () => {
    const { host, url, port, outbound, fail } = breakerScene();
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

  test('a timeout', async () => {
    const { url } = await rawUpstream(() => {});
    expect(await stateAfter(url, { attemptMs: 50 })).toBe('open');
  });

  test('a name without an address', async () => {
    expect(await stateAfter('http://none.test/', { lookup: async () => [] })).toBe('open');
  });

  test.each([400, 404, 429])('not status %d', async (status) => {
    const { url } = httpUpstream(() => new Response(null, { status }));
    expect(await stateAfter(url)).toBeUndefined();
  });

  test('not a body that is not JSON', async () => {
    const { url } = httpUpstream(() => new Response('<p>'));
    expect(await stateAfter(url)).toBeUndefined();
  });

  test('not a refused address', async () => {
    expect(await stateAfter('http://10.0.0.1/')).toBeUndefined();
    expect(await stateAfter('nonsense')).toBeUndefined();
  });

  test('not a caller that aborts', async () => {
    const gone = new AbortController();
    const { url } = await rawUpstream(() => gone.abort());
    const outbound = outboundFor(once);
    expect(await codeOf(outbound.call({ url, signal: gone.signal }))).toBe('aborted');
    expect(outbound.stats().circuits).toEqual([]);
  });
});
