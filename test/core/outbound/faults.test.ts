import { describe, expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { OutboundErrorCode } from '../../../src/core/outbound/errors.ts';
import { sleep } from '../../../src/utils/async/abort.ts';
import { until } from '../../until.ts';
import { type Fault, faults, faultUrl } from './fault-upstream.ts';
import {
  codeOf,
  failureOf,
  httpUpstream,
  JSON_HEAD,
  outboundFor,
  rawUpstream,
} from './upstream.ts';

const json = { 'content-type': 'application/json' };

const brokenConnections: [
  what: string,
  code: OutboundErrorCode,
  respond: (socket: Socket) => void,
][] = [
  ['a reset', 'connect_failed', (socket) => void socket.resetAndDestroy()],
  ['a hang-up', 'connect_failed', (socket) => void socket.end()],
  ['a banner', 'connect_failed', (socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
  [
    'a body shorter than its length',
    'connect_failed',
    (socket) => void socket.end(`${JSON_HEAD}Content-Length: 100\r\n\r\n{"a":1}`),
  ],
  [
    'a bad chunk',
    'connect_failed',
    (socket) => void socket.end(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}`),
  ],
  [
    'a missing last chunk',
    'connect_failed',
    (socket) => void socket.end(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`),
  ],
  [
    'two lengths',
    'connect_failed',
    (socket) => void socket.end(`${JSON_HEAD}Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}`),
  ],
  [
    'an upgrade',
    'connect_failed',
    (socket) => void socket.end('HTTP/1.1 101 Hi\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  ],
  [
    'a huge header',
    'too_large',
    (socket) => void socket.write(`${JSON_HEAD}X: ${'a'.repeat(4e6)}`),
  ],
];

describe('on the connection', () => {
  test.each(brokenConnections)('%s fails as %s', async (_what, code, respond) => {
    const { url } = await rawUpstream(respond);
    expect(await codeOf(outboundFor().getJson(url))).toBe(code);
  });

  test('a refused connection fails as connect_failed and names only the host', async () => {
    const failure = await failureOf(outboundFor().getJson('http://127.0.0.1:1/secret?key=1'));
    expect(failure.code).toBe('connect_failed');
    expect(failure.message).toBe('The connection to 127.0.0.1:1 failed');
  });

  test('a reset is retried', async () => {
    const upstream = await rawUpstream((socket) => socket.resetAndDestroy());
    expect(await codeOf(outboundFor({ retries: 1 }).getJson(upstream.url))).toBe('connect_failed');
    expect(upstream.connections).toBe(2);
  });
});

const slowResponses: [what: string, respond: (socket: Socket) => void][] = [
  ['silence', () => {}],
  ['a body that drips', (socket) => drip(socket, `${JSON_HEAD}Content-Length: 9999\r\n\r\n`, '1')],
  ['headers that never end', (socket) => drip(socket, JSON_HEAD, 'a: b\r\n')],
  ['interim responses that never end', (socket) => drip(socket, '', 'HTTP/1.1 103 E\r\n\r\n')],
];

describe('timeouts', () => {
  test.each(slowResponses)('%s ends at the timeout of the attempt', async (_what, respond) => {
    const upstream = await rawUpstream(respond);
    const outbound = outboundFor({ attemptMs: 100 });
    const failure = await failureOf(outbound.getJson(upstream.url));
    expect([failure.code, failure.message]).toEqual([
      'timeout',
      `${upstream.host} took longer than 100 ms`,
    ]);
    await until(() => upstream.closed === 1);
    expect(outbound.stats().inFlight).toBe(0);
  });

  // proves: outbound-calls.any-url-that-a-signed-in-user-names
  test('a timed-out attempt is retried until the deadline of the call', async () => {
    const upstream = await rawUpstream(() => {});
    const outbound = outboundFor({ attemptMs: 100, deadlineMs: 150, retries: 5 });
    const failure = await failureOf(outbound.getJson(upstream.url));
    expect(failure.message).toEndWith('took longer than 150 ms');
    expect(upstream.connections).toBe(2);
  });

  test('a resolver that hangs ends at the timeout', async () => {
    const lookup = () => new Promise<never>(() => {});
    const outbound = outboundFor({ lookup, attemptMs: 50 });
    expect(await codeOf(outbound.getJson('http://slow.test/'))).toBe('timeout');
  });

  test('a caller that aborts ends its call', async () => {
    const upstream = await rawUpstream(() => gone.abort());
    const gone = new AbortController();
    const call = outboundFor({ retries: 1 }).getJson(upstream.url, { signal: gone.signal });
    expect(await codeOf(call)).toBe('aborted');
    await until(() => upstream.closed === 1);
  });

  test('close aborts calls in progress', async () => {
    const upstream = await rawUpstream(() => outbound.close());
    const outbound = outboundFor();
    expect(await codeOf(outbound.getJson(upstream.url))).toBe('aborted');
  });
});

const bodies: [what: string, code: OutboundErrorCode, respond: () => Response][] = [
  ['status 204', 'not_json', () => new Response(null, { status: 204 })],
  ['an empty body', 'not_json', () => new Response('', { headers: json })],
  ['HTML', 'not_json', () => new Response('<p>', { headers: { 'content-type': 'text/html' } })],
  ['invalid JSON', 'not_json', () => new Response('{"a":', { headers: json })],
  ['JSON nested too deep', 'not_json', () => Response.json(JSON.parse(deep(101)))],
  ['half of UTF-16', 'bad_encoding', () => new Response(new Uint8Array([0xff, 0xfe, 0x31]))],
  [
    'invalid UTF-8',
    'bad_encoding',
    () => typed('application/json', Buffer.from('"\xff"', 'latin1')),
  ],
  ['brotli', 'bad_encoding', () => encoded('br', '1')],
  ['gzip twice', 'bad_encoding', () => encoded('gzip, gzip', gzipSync(gzipSync('1')))],
  ['broken gzip', 'bad_encoding', () => encoded('gzip', 'not gzip')],
  ['cut gzip', 'bad_encoding', () => encoded('gzip', gzipSync('[1,2,3]').subarray(0, 20))],
  ['a gzip bomb', 'too_large', () => encoded('gzip', gzipSync(Buffer.alloc(20_000_000, 32)))],
  ['a declared length over the cap', 'too_large', () => Response.json('a'.repeat(1_048_576))],
];

describe('in the body', () => {
  test.each(bodies)('%s fails as %s', async (_what, code, respond) => {
    const { url } = httpUpstream(respond);
    expect(await codeOf(outboundFor().getJson(url))).toBe(code);
  });

  // proves: outbound-calls.any-url-that-a-signed-in-user-names, costly-work.outside-calls, 5.2.3
  test('an endless body is cancelled at the limit and its connection closed', async () => {
    const upstream = await rawUpstream((socket) => {
      socket.write(`${JSON_HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      flood(socket, `10000\r\n${'1'.repeat(65_536)}\r\n`);
    });
    expect(await codeOf(outboundFor().getJson(upstream.url))).toBe('too_large');
    await until(() => upstream.closed === 1);
  });

  test('the body of an unacceptable response is not read', async () => {
    const upstream = await rawUpstream((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>'),
    );
    const call = outboundFor().call({ url: upstream.url, accept: ['application/json'] });
    expect(await codeOf(call)).toBe('not_json');
    await until(() => upstream.closed === 1);
  });

  test('a body of exactly the maximum size is accepted', async () => {
    const { url } = httpUpstream(() => Response.json('a'.repeat(98)));
    expect(await outboundFor({ maxBytes: 100 }).getJson(url)).toHaveLength(98);
  });

  // proves: input.json-size
  test('JSON with 100 levels is accepted', async () => {
    const { url } = httpUpstream(() => Response.json(JSON.parse(deep(100))));
    expect(JSON.stringify(await outboundFor().getJson(url))).toBe(deep(100));
  });
});

function drip(socket: Socket, head: string, drop: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write(drop), 5);
  socket.on('close', () => clearInterval(timer));
}

function flood(socket: Socket, chunk: string): void {
  if (socket.destroyed) return;
  if (socket.write(chunk)) setImmediate(() => flood(socket, chunk));
  else socket.once('drain', () => flood(socket, chunk));
}

function typed(type: string, body: string | Uint8Array<ArrayBuffer>): Response {
  return new Response(body, { headers: { 'content-type': type } });
}

function encoded(encoding: string, body: string | Uint8Array<ArrayBuffer>): Response {
  return new Response(body, { headers: { ...json, 'content-encoding': encoding } });
}

function deep(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

const CALLS = 20;

describe(`${CALLS} concurrent calls end within the deadline with the expected code`, () => {
  test.each(faults)('$what: $code', endsWithItsCode, 15_000);
});

async function endsWithItsCode(fault: Fault): Promise<void> {
  const url = await faultUrl(fault);
  const deadlineMs = fault.code === 'timeout' ? 300 : 4_000;
  const limits = { maxPerHost: CALLS, breaker: false, deadlineMs, attemptMs: deadlineMs } as const;
  const outbound = outboundFor(limits);
  const calls = Array.from({ length: CALLS }, () => codeOf(outbound.getJson(url)));
  const late = new AbortController();
  const first = await Promise.race([
    Promise.all(calls),
    sleep(deadlineMs * 3, late.signal).then(() => 'late'),
  ]);
  late.abort();
  expect(first).toEqual(Array(CALLS).fill(fault.code));
  expect(outbound.stats()).toMatchObject({ inFlight: 0, queued: 0 });
}
