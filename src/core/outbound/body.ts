import { gunzipSync } from 'node:zlib';
import { contentCodings } from '../../utils/http/content-coding.ts';
import { isJsonType, isUtf8, mediaTypeOf } from '../../utils/http/media-type.ts';
import { type JsonBounds, JsonFault, parseForeignJson } from '../../utils/json/parse.ts';
import { asUtf8 } from '../../utils/text/utf16.ts';
import { OutboundError, toOutboundError } from './errors.ts';

/** What JSON.parse takes 25 ms for at most, whatever a host sends. */
const BOUNDS: JsonBounds = { maxDepth: 100, maxNodes: 100_000 };

const BODILESS: ReadonlySet<number> = new Set([204, 205]);

/** What a body may be. */
interface ByteRules {
  /** For messages. */
  readonly host: string;
  /** Largest body in bytes, both as sent and after decompression. */
  readonly maxBytes: number;
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

interface BodyRules extends ByteRules {
  readonly method: string;
  /** Media types in lower case; where one is JSON, all of JSON are taken. Undefined: JSON by its content. */
  readonly accept: readonly string[] | undefined;
}

export interface Body {
  /** Lower case, without parameters; empty where there is no body. */
  readonly mediaType: string;
  /** Parsed JSON, text, or null without a body. */
  readonly data: unknown;
  /** Length after decompression. */
  readonly bytes: number;
}

/**
 * Reads a response that was fetched with `decompress: false`. HEAD, 204, 205 and an empty
 * answer to anything but GET have no body. Throws not_json, bad_media_type, too_large,
 * bad_encoding or connect_failed; the stream is cancelled when it does.
 */
export async function readBody(response: Response, rules: BodyRules): Promise<Body> {
  try {
    if (isBodiless(response, rules.method)) {
      discard(response);
      return { mediaType: '', data: null, bytes: 0 };
    }
    const mediaType = acceptedType(response, rules);
    const isGzip = checkFraming(response, rules);
    const bytes = await readBytes(response, isGzip, rules);
    const data =
      !rules.accept || isJsonType(mediaType)
        ? parseJson(bytes, rules)
        : decodeUtf8(bytes, rules.host);
    return { mediaType, data, bytes: bytes.length };
  } catch (error) {
    discard(response);
    throw error;
  }
}

/** Gives up on a body: the connection is closed and nothing more is read. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => {});
}

// To look at `body` makes a stream of it, and to read that whole costs twice as much.
function isBodiless(response: Response, method: string): boolean {
  if (method === 'HEAD' || BODILESS.has(response.status)) return true;
  return method !== 'GET' && (response.headers.get('content-length') === '0' || !response.body);
}

function acceptedType({ headers }: Response, { host, accept }: BodyRules): string {
  const header = headers.get('content-type');
  const type = mediaTypeOf(header);
  if (!accept) return type || 'application/json';
  const takesJson = accept.some(isJsonType);
  const isTaken = accept.includes(type) || (takesJson && isJsonType(type));
  // A charset on JSON has no meaning (RFC 8259, 11); Apple, for one, sends a wrong one.
  if (isTaken && (isJsonType(type) || isUtf8(header))) return type;
  if (takesJson && (isTaken || accept.every(isJsonType))) {
    throw new OutboundError('not_json', `${host} did not answer with JSON`);
  }
  throw new OutboundError('bad_media_type', `${host} did not answer with a type that is taken`);
}

function checkFraming(response: Response, { host, maxBytes }: BodyRules): boolean {
  const { headers } = response;
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge({ host, maxBytes });
  const [coding, ...more] = contentCodings(headers.get('content-encoding'));
  if (coding === undefined) return false;
  if (coding === 'gzip' && more.length === 0) return true;
  if (!response.body) return false;
  throw new OutboundError('bad_encoding', `${host} used an encoding that was not asked for`);
}

function parseJson(bytes: Uint8Array, { host }: BodyRules): unknown {
  if (bytes.length === 0) throw new OutboundError('not_json', `${host} answered without a body`);
  try {
    return parseForeignJson(asUtf8(bytes), BOUNDS);
  } catch (cause) {
    throw notJson(cause, host);
  }
}

function notJson(cause: unknown, host: string): unknown {
  if (!(cause instanceof JsonFault)) return cause;
  const { kind, message } = cause;
  if (kind === 'encoding') return notUtf8(cause, host);
  const reason = kind === 'bounds' ? `sent too much structure: ${message}` : 'sent invalid JSON';
  return new OutboundError('not_json', `${host} ${reason}`, { cause });
}

function notUtf8(cause: unknown, host: string): OutboundError {
  return new OutboundError('bad_encoding', `${host} sent text that is not UTF-8`, { cause });
}

function decodeUtf8(bytes: Uint8Array, host: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw notUtf8(cause, host);
  }
}

/**
 * The bytes of a body whose length, where it has said one, is no larger than the largest.
 * Throws too_large, bad_encoding, and what `toOutboundError` makes of a broken connection.
 */
async function readBytes(
  response: Response,
  isGzip: boolean,
  rules: ByteRules,
): Promise<Uint8Array> {
  try {
    const sent = await (isOfKnownSize(response)
      ? response.bytes()
      : joined(response.body ?? [], rules));
    return isGzip ? inflate(sent, rules) : sent;
  } catch (error) {
    throw toOutboundError(error, rules.host);
  }
}

function tooLarge({ host, maxBytes }: ByteRules): OutboundError {
  return new OutboundError('too_large', `${host} sent more than ${maxBytes} bytes`);
}

/**
 * Whether the length that was judged bounds what comes: chunks would not be bound by it. Read whole,
 * a body costs half of what it costs as a stream.
 */
function isOfKnownSize({ headers }: Response): boolean {
  return (
    /^\d{1,15}$/.test(headers.get('content-length') ?? '') && !headers.has('transfer-encoding')
  );
}

async function joined(source: Chunks, rules: ByteRules): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > rules.maxBytes) throw tooLarge(rules);
    }
    return Buffer.concat(chunks, size);
  } finally {
    for (const chunk of chunks) free(chunk);
  }
}

// Our own inflate, because that of fetch has no cap: 300 KB sent can cost it 300 MB. Gzip
// alone is offered: it needs 32 KB beside the output, Brotli and Zstandard windows of megabytes.
// At once, which takes less than to parse what comes out: in another thread, a small answer takes
// 15 times as long, and of many bombs all would be in memory together.
function inflate(sent: Uint8Array, { host, maxBytes }: ByteRules): Uint8Array {
  try {
    return gunzipSync(sent, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge({ host, maxBytes });
    throw new OutboundError('bad_encoding', `${host} sent broken gzip`, { cause });
  } finally {
    free(sent);
  }
}

// Given back at once: the collector finds buffers late, because it sees little of what they hold.
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
