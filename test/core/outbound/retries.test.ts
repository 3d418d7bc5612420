import { describe, expect, test } from 'bun:test';
import { networkInterfaces } from 'node:os';
import type { OutboundOptions, OutboundRequest } from '../../../src/core/outbound/client.ts';
import { until } from '../../until.ts';
import {
  codeOf,
  failureOf,
  httpUpstream,
  JSON_HEAD,
  outboundFor,
  rawUpstream,
  saturatedHost,
} from './upstream.ts';

describe('a retry', () => {
  const attemptsOf = async (request: Partial<OutboundRequest>, init: ResponseInit) => {
    const { url, requests } = counted(init);
    const failure = await failureOf(outboundFor().call({ url, retries: 2, ...request }));
    expect(failure.attempts).toBe(requests());
    return requests();
  };

  test.each([
    ['GET', 3],
    ['HEAD', 3],
    ['PUT', 3],
    ['DELETE', 3],
    ['POST', 1],
    ['PATCH', 1],
  ] as const)('of %s: %d requests', async (method, requests) => {
    expect(await attemptsOf({ method }, { status: 503 })).toBe(requests);
  });

  test('follows a 429 with Retry-After', async () => {
    const headers = { 'retry-after': '1' };
    expect(await attemptsOf({}, { status: 429, headers })).toBe(3);
  });

  test('waits until the date of Retry-After plus jitter', async () => {
    const waits: number[] = [];
    const headers = { 'retry-after': 'Fri, 01 Jan 2027 00:00:01 GMT' };
    const { url } = counted({ status: 503, headers });
    const outbound = outboundFor({
      date: () => Date.UTC(2027, 0, 1),
      random: () => 0.5,
      sleep: async (delayMs) => void waits.push(delayMs),
    });
    await failureOf(outbound.call({ url, retries: 2 }));
    expect(waits).toEqual([1_100, 1_200]);
  });

  test('of POST does not follow a closed connection', async () => {
    const upstream = await rawUpstream((socket) => socket.end());
    const call = outboundFor().call({ url: upstream.url, method: 'POST', body: '{}', retries: 3 });
    expect(await codeOf(call)).toBe('connect_failed');
    expect(upstream.connections).toBe(1);
  });

  test('of POST uses the next address only if nothing was sent', async () => {
    const { port } = counted();
    const lookup = async () => [{ address: '127.0.0.2' }, { address: '127.0.0.1' }];
    const outbound = outboundFor({ lookup, allowHosts: ['one.test'] });
    const url = `http://one.test:${port}/`;
    expect((await outbound.call({ url, method: 'POST', body: '{}' })).attempts).toBe(1);
  });

  test('that an open circuit prevents does not replace the original failure', async () => {
    const { url, requests } = counted({ status: 503 });
    const { outbound, failure, goOn } = await retrying(url, {
      breaker: { failures: 2, openMs: 10_000 },
    });
    await failureOf(outbound.call({ url }));
    goOn();
    expect(await failure).toMatchObject({ code: 'bad_status', status: 503, attempts: 1 });
    expect(requests()).toBe(2);
  });

  test('that finds the queue full does not replace the original failure', async () => {
    const responses = [new Response(null, { status: 503 }), new Promise<Response>(() => {})];
    const { url } = httpUpstream(() => responses.shift() ?? Response.json(1));
    const { outbound, failure, goOn } = await retrying(url, { maxPerHost: 1, maxQueued: 0 });
    const other = codeOf(outbound.call({ url }));
    await until(() => responses.length === 0);
    goOn();
    expect(await failure).toMatchObject({ code: 'bad_status', status: 503, attempts: 1 });
    outbound.close();
    expect(await other).toBe('aborted');
  });
});

const LOOPBACKS = (['127.0.0.1', '::1'] as const).filter((address) =>
  Object.values(networkInterfaces()).some((all) => all?.some((it) => it.address === address)),
);

describe('timeouts', () => {
  test('missing headers end the attempt at the header timeout', async () => {
    const upstream = await rawUpstream(() => {});
    const limits = { connectTimeoutMs: 20, headerTimeoutMs: 30, timeoutMs: 2_000 };
    const failure = await failureOf(outboundFor().call({ url: upstream.url, ...limits }));
    expect([failure.code, failure.attempts, failure.message]).toEqual([
      'timeout',
      1,
      `${upstream.host} took longer than 50 ms to answer`,
    ]);
    await until(() => upstream.closed === 1);
  });

  test('the header timeout does not apply to a slow body', async () => {
    const upstream = await rawUpstream((socket) => {
      socket.write(`${JSON_HEAD}Content-Length: 2\r\n\r\n1`);
      setTimeout(() => socket.write('2'), 150);
    });
    const limits = { connectTimeoutMs: 50, headerTimeoutMs: 50 };
    expect((await outboundFor().call({ url: upstream.url, ...limits })).data).toBe(12);
  });

  test('an unresolved name ends the attempt at the connect timeout', async () => {
    const lookup = () => new Promise<never>(() => {});
    const call = outboundFor({ lookup }).call({ url: 'http://slow.test/', connectTimeoutMs: 20 });
    expect((await failureOf(call)).message).toBe('slow.test took longer than 20 ms to be resolved');
  });

  // Only Linux reports connections.
  test.skipIf(process.platform !== 'linux').each(LOOPBACKS)(
    'a host that accepts no connection ends the attempt at the connect timeout: %s',
    async (address) => {
      await using host = await saturatedHost(address);
      const allowHosts = ['127.0.0.1', '::1'];
      const limits = { connectTimeoutMs: 100, timeoutMs: 20_000 };
      const failure = await failureOf(
        outboundFor({ allowHosts }).call({ url: host.url, ...limits }),
      );
      expect([failure.code, failure.attempts, failure.message]).toEqual([
        'timeout',
        1,
        `${host.name} took longer than 1200 ms to accept a connection`,
      ]);
    },
  );

  test('the connect timeout does not apply to a slow response', async () => {
    const upstream = await rawUpstream((socket) => {
      setTimeout(() => socket.end(`${JSON_HEAD}Content-Length: 1\r\n\r\n1`), 1_400);
    });
    const limits = { connectTimeoutMs: 100, headerTimeoutMs: 5_000, timeoutMs: 20_000 };
    expect((await outboundFor().call({ url: upstream.url, ...limits })).data).toBe(1);
  });

  test('the whole call ends at its own timeout', async () => {
    const upstream = await rawUpstream(() => {});
    const failure = await failureOf(outboundFor().call({ url: upstream.url, timeoutMs: 50 }));
    expect(failure.message).toBe(`${upstream.host} took longer than 50 ms`);
  });
});

test('a request may lower the limit of concurrent requests to its host', async () => {
  const upstream = await rawUpstream(() => {});
  const outbound = outboundFor();
  const calls = [1, 2, 3].map(() => codeOf(outbound.call({ url: upstream.url, maxPerHost: 2 })));
  await until(() => upstream.connections === 2);
  expect(outbound.stats()).toMatchObject({ inFlight: 2, queued: 1 });
  outbound.close();
  expect(await Promise.all(calls)).toEqual(['aborted', 'aborted', 'aborted']);
});

/** Starts a call whose first attempt fails; its retry waits for `goOn`. */
async function retrying(url: string, options: Partial<OutboundOptions>) {
  const { promise, resolve: goOn } = Promise.withResolvers<void>();
  const outbound = outboundFor({ ...options, sleep: () => promise });
  const failure = failureOf(outbound.call({ url, retries: 1 }));
  await until(() => outbound.stats().retried === 1);
  return { outbound, failure, goOn };
}

function counted(init: ResponseInit = {}) {
  let count = 0;
  const { url, port } = httpUpstream(() => {
    count += 1;
    return Response.json(1, init);
  });
  return { url, port, requests: () => count };
}
