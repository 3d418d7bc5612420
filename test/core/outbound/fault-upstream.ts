import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { OutboundErrorCode } from '../../../src/core/outbound/errors.ts';
import { JSON_HEAD, rawUpstream } from './upstream.ts';

/** One way in which an upstream can fail. */
export interface Fault {
  readonly what: string;
  /** The error code of a call. */
  readonly code: OutboundErrorCode;
  /** Handles a connection after its first bytes. If undefined, connections are refused. */
  readonly respond?: (socket: Socket) => void;
  readonly scheme?: 'http' | 'https';
}

/** Shorter than every deadline, so that some bytes arrive. */
const DRIP_MS = 20;
const BYTES_1_GB = 1_000_000_000;
const ZEROS = Buffer.alloc(65_536, '0');
const CHUNK = Buffer.from(`10000\r\n${ZEROS}\r\n`);
/** 900 MB of spaces in 900 KB: one gzip member, repeated. */
const BOMB = Buffer.concat(Array<Buffer>(90).fill(gzipSync(Buffer.alloc(10_000_000, ' '))));

/** All faults, from the first packet to the last byte of the body. */
export const faults: readonly Fault[] = [
  // The connection.
  { what: 'a refused connection', code: 'connect_failed' },
  { what: 'a reset', code: 'connect_failed', respond: (socket) => void socket.resetAndDestroy() },
  { what: 'a hang-up', code: 'connect_failed', respond: (socket) => void socket.end() },
  { what: 'silence', code: 'timeout', respond: () => {} },
  { what: 'a TLS handshake that hangs', code: 'timeout', respond: () => {}, scheme: 'https' },
  {
    what: 'a TLS handshake, byte by byte',
    code: 'timeout',
    respond: (socket) => {
      socket.write('\u0016\u0003\u0003\u0040\u0000', 'latin1');
      drip(socket, '\u0000');
    },
    scheme: 'https',
  },
  {
    what: 'no TLS where there should be',
    code: 'tls_failed',
    respond: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    scheme: 'https',
  },
  // The head.
  fault('a banner', 'connect_failed', 'SSH-2.0-OpenSSH_9.9\r\n'),
  fault('a zero byte in a header', 'connect_failed', `${JSON_HEAD}X: a\u0000b\r\n\r\n{}`),
  fault('a zero byte in a header name', 'connect_failed', `${JSON_HEAD}X\u0000: a\r\n\r\n{}`),
  fault('a header without a colon', 'connect_failed', `${JSON_HEAD}nothing\r\n\r\n{}`),
  // Bun reads some 250 headers and calls more a broken reply.
  fault('100,000 headers', 'connect_failed', `${JSON_HEAD}${'X: 1\r\n'.repeat(100_000)}\r\n{}`),
  fault('a header of 4 MB', 'too_large', `${JSON_HEAD}X: ${'a'.repeat(4e6)}\r\n\r\n{}`),
  {
    what: 'headers that never end',
    code: 'timeout',
    respond: (socket) => {
      socket.write(JSON_HEAD);
      drip(socket, 'a: b\r\n');
    },
  },
  {
    what: 'a head, byte by byte',
    code: 'timeout',
    respond: (socket) => drip(socket, 'H'),
  },
  {
    what: 'interim responses that never end',
    code: 'timeout',
    respond: (socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'),
  },
  // The status.
  fault('204', 'not_json', 'HTTP/1.1 204 No Content\r\n\r\n'),
  fault('304', 'bad_status', 'HTTP/1.1 304 Not Modified\r\n\r\n'),
  fault('500', 'bad_status', 'HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}'),
  fault(
    '429 with Retry-After',
    'bad_status',
    'HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 2\r\n\r\n{}',
  ),
  fault(
    'a redirect loop',
    'too_many_redirects',
    'HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  ),
  fault(
    'a redirect to the inside',
    'bad_redirect',
    'HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n',
  ),
  // The body's frame.
  {
    what: 'a reset in the body',
    code: 'connect_failed',
    respond: (socket) => {
      socket.write(`${JSON_HEAD}Content-Length: 100\r\n\r\n{"a":`, () => {
        setTimeout(() => socket.resetAndDestroy(), 20);
      });
    },
  },
  fault('a short body', 'connect_failed', `${JSON_HEAD}Content-Length: 100\r\n\r\n{"a":1}`),
  fault('a length that is too small', 'not_json', `${JSON_HEAD}Content-Length: 3\r\n\r\n{"a":1}`),
  fault('a negative length', 'connect_failed', `${JSON_HEAD}Content-Length: -2\r\n\r\n{}`),
  fault('a length in words', 'connect_failed', `${JSON_HEAD}Content-Length: two\r\n\r\n{}`),
  fault('a bad chunk', 'connect_failed', `${JSON_HEAD}${chunked('ZZ\r\n{}')}`),
  fault('a missing last chunk', 'connect_failed', `${JSON_HEAD}${chunked('2\r\n{}\r\n')}`),
  {
    what: 'a body, byte by byte',
    code: 'timeout',
    respond: (socket) => {
      socket.write(`${JSON_HEAD}Content-Length: 9999\r\n\r\n`);
      drip(socket, '1');
    },
  },
  // The body's size.
  {
    what: '1 GB, declared',
    code: 'too_large',
    respond: (socket) => flood(socket, `${JSON_HEAD}Content-Length: ${BYTES_1_GB}\r\n\r\n`, ZEROS),
  },
  {
    what: '1 GB in chunks',
    code: 'too_large',
    respond: (socket) => flood(socket, `${JSON_HEAD}${chunked('')}`, CHUNK),
  },
  {
    what: '1 GB until it hangs up',
    code: 'too_large',
    respond: (socket) => flood(socket, `${JSON_HEAD}\r\n`, ZEROS),
  },
  zipped('a gzip bomb', 'too_large', 'gzip', BOMB),
  zipped('a gzip bomb in a gzip bomb', 'bad_encoding', 'gzip, gzip', gzipSync(BOMB)),
  zipped(
    'a gzip in a gzip that declares only one',
    'bad_encoding',
    'gzip',
    gzipSync(gzipSync('1')),
  ),
  zipped('a cut gzip', 'bad_encoding', 'gzip', gzipSync('[1,2,3]').subarray(0, 20)),
  zipped('brotli, which was not offered', 'bad_encoding', 'br', Buffer.from('1')),
  // The content of the body.
  fault('HTML', 'not_json', whole('text/html', '<p>Hello</p>')),
  fault('invalid JSON', 'not_json', whole('application/json', '{"a":')),
  fault('an empty body', 'not_json', whole('application/json', '')),
  fault('JSON nested too deep', 'not_json', whole('application/json', '['.repeat(50_000))),
];

/** Starts an upstream that fails in this way until the end of the test. Returns its URL. */
export async function faultUrl({ respond, scheme = 'http' }: Fault): Promise<string> {
  const upstream = await rawUpstream(respond ?? (() => {}));
  if (!respond) await upstream.stop();
  return `${scheme}://${upstream.host}/`;
}

function fault(what: string, code: OutboundErrorCode, response: string): Fault {
  return { what, code, respond: (socket) => void socket.end(response, 'latin1') };
}

function zipped(what: string, code: OutboundErrorCode, encoding: string, body: Buffer): Fault {
  const head = `${JSON_HEAD}Content-Encoding: ${encoding}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { what, code, respond: (socket) => void socket.end(Buffer.concat([bytes(head), body])) };
}

function whole(type: string, body: string): string {
  const length = `Content-Length: ${body.length}`;
  return `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${length}\r\n\r\n${body}`;
}

function chunked(body: string): string {
  return `Transfer-Encoding: chunked\r\n\r\n${body}`;
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function drip(socket: Socket, drop: string): void {
  socket.write(drop);
  const timer = setInterval(() => socket.write(drop), DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}

/** Sends a head and then up to 1 GB, as fast as the client reads. */
function flood(socket: Socket, head: string, part: Buffer): void {
  let left = BYTES_1_GB;
  const more = () => {
    if (socket.destroyed) return;
    left -= part.length;
    if (left < 0) socket.end();
    else if (socket.write(part)) setImmediate(more);
    else socket.once('drain', more);
  };
  socket.write(head);
  more();
}
