import { gunzipSync } from 'node:zlib';
import { readBytes } from '../../utils/async/read-bytes.ts';
import { contentCodings } from '../../utils/http/content-coding.ts';
import { isJsonType, isUtf8, mediaTypeOf } from '../../utils/http/media-type.ts';
import { type JsonBounds, JsonFault, parseForeignJson } from '../../utils/json/parse.ts';
import { decodeUtf8 } from '../../utils/text/utf8.ts';
import { asUtf8 } from '../../utils/text/utf16.ts';
import { OutboundError, toOutboundError } from './errors.ts';

/** JSON.parse takes at most 25 ms within these bounds. */
const BOUNDS: JsonBounds = { maxDepth: 100, maxNodes: 100_000 };

const BODILESS: ReadonlySet<number> = new Set([204, 205]);

interface ByteRules {
  /** The host as messages name it. */
  readonly host: string;
  /** Maximum size in bytes, both as sent and decompressed. */
  readonly maxBytes: number;
}

interface BodyRules extends ByteRules {
  readonly method: string;
  /** Media types in lower case; one JSON type accepts all JSON types. Undefined: JSON with any type. */
  readonly accept: readonly string[] | undefined;
}

export interface Body {
  /** The type in lower case, without parameters; empty without a body. */
  readonly mediaType: string;
  /** Parsed JSON, text, or null without a body. */
  readonly data: unknown;
  /** Size after decompression. */
  readonly bytes: number;
}

/**
 * Reads a response that was fetched with `decompress: false`. Responses to HEAD, with 204 or 205, and
 * empty ones to methods other than GET have no body. Throws not_json, bad_media_type, too_large,
 * bad_encoding or connect_failed, and then cancels the stream.
 */
export async function readBody(response: Response, rules: BodyRules): Promise<Body> {
  try {
    if (isBodiless(response, rules.method)) {
      discard(response);
      return { mediaType: '', data: null, bytes: 0 };
    }
    const mediaType = acceptedType(response, rules);
    const isGzip = checkFraming(response, rules);
    const bytes = await readContent(response, isGzip, rules);
    const data =
      !rules.accept || isJsonType(mediaType)
        ? parseJson(bytes, rules)
        : decodeText(bytes, rules.host);
    return { mediaType, data, bytes: bytes.length };
  } catch (error) {
    discard(response);
    throw error;
  }
}

/** Cancels a body: closes the connection without reading on. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => {});
}

// Accesses `body` last: it creates a stream, and reading a stream whole costs twice as much.
function isBodiless(response: Response, method: string): boolean {
  if (method === 'HEAD' || BODILESS.has(response.status)) return true;
  return method !== 'GET' && (response.headers.get('content-length') === '0' || !response.body);
}

function acceptedType({ headers }: Response, { host, accept }: BodyRules): string {
  const header = headers.get('content-type');
  const type = mediaTypeOf(header);
  if (!accept) return type || 'application/json';
  const acceptsJson = accept.some(isJsonType);
  const isAccepted = accept.includes(type) || (acceptsJson && isJsonType(type));
  // A charset of JSON has no meaning (RFC 8259, 11); Apple, for example, sends a wrong one.
  if (isAccepted && (isJsonType(type) || isUtf8(header))) return type;
  if (acceptsJson && (isAccepted || accept.every(isJsonType))) {
    throw new OutboundError('not_json', `${host} did not answer with JSON`);
  }
  throw new OutboundError('bad_media_type', `${host} did not answer with an accepted media type`);
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
  if (kind === 'encoding') return notUtf8(host, cause);
  const reason = kind === 'bounds' ? `sent too much structure: ${message}` : 'sent invalid JSON';
  return new OutboundError('not_json', `${host} ${reason}`, { cause });
}

function notUtf8(host: string, cause?: unknown): OutboundError {
  return new OutboundError('bad_encoding', `${host} sent text that is not UTF-8`, { cause });
}

function decodeText(bytes: Uint8Array, host: string): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw notUtf8(host);
  return text;
}

/**
 * Reads a body whose declared length, if any, is within the limit. Throws too_large, bad_encoding, or
 * the error that `toOutboundError` returns for a broken connection.
 */
async function readContent(
  response: Response,
  isGzip: boolean,
  rules: ByteRules,
): Promise<Uint8Array> {
  const { maxBytes } = rules;
  try {
    const sent = await (hasBoundedSize(response)
      ? response.bytes()
      : readBytes(response.body ?? [], {
          maxBytes,
          tooLarge: () => tooLarge(rules),
          release: free,
        }));
    return isGzip ? inflate(sent, rules) : sent;
  } catch (error) {
    throw toOutboundError(error, rules.host);
  }
}

function tooLarge({ host, maxBytes }: ByteRules): OutboundError {
  return new OutboundError('too_large', `${host} sent more than ${maxBytes} bytes`);
}

/**
 * Returns true if Content-Length bounds the body; it does not if the body is chunked. Reading a body
 * whole costs half as much as reading its stream.
 */
function hasBoundedSize({ headers }: Response): boolean {
  return (
    /^\d{1,15}$/.test(headers.get('content-length') ?? '') && !headers.has('transfer-encoding')
  );
}

// Not the decompression of fetch, which has no limit: 300 KB can expand to 300 MB. Only gzip is
// offered, because it needs 32 KB in addition to the output; Brotli and Zstandard need megabytes.
// It runs synchronously, which is faster than parsing the output: a thread would take 15 times as
// long for a small response, and would let many bombs expand at the same time.
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

// Freed explicitly, because the garbage collector underestimates buffers and frees them late.
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
