import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isDeeperThan } from '../utils/json-depth.ts';
import { isJsonContentType } from '../utils/media-type.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';

/** Deepest nesting that is accepted: JSON.stringify overflows the stack before 100,000. */
const MAX_JSON_DEPTH = 100;

const gunzipAsync = promisify(gunzip);

interface BodyRules {
  /** For messages. */
  readonly host: string;
  /** Largest body in bytes, both as sent and after decompression. */
  readonly maxBytes: number;
}

/**
 * Reads the JSON of a response that was fetched with `decompress: false`. Throws not_json,
 * too_large, bad_encoding or connect_failed; the stream is cancelled when it does.
 */
export async function readJson(response: Response, rules: BodyRules): Promise<unknown> {
  try {
    const isGzip = checkHeaders(response, rules);
    const sent = await readCapped(response, rules);
    return parseJson(isGzip ? await inflate(sent, rules) : sent, rules);
  } catch (error) {
    discard(response);
    throw error;
  }
}

/** Gives up on a body: the connection is closed and nothing more is read. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => {});
}

function checkHeaders({ headers, body }: Response, { host, maxBytes }: BodyRules): boolean {
  if (!body) throw new OutboundError('not_json', `${host} answered without a body`);
  if (!isJsonContentType(headers.get('content-type'))) {
    throw new OutboundError('not_json', `${host} did not answer with JSON`);
  }
  if (Number(headers.get('content-length') ?? 0) > maxBytes) throw tooLarge({ host, maxBytes });
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() || 'identity';
  if (encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new OutboundError('bad_encoding', `${host} used an encoding that was not asked for`);
}

async function readCapped(response: Response, rules: BodyRules): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > rules.maxBytes) throw tooLarge(rules);
      chunks.push(chunk);
    }
  } catch (error) {
    throw toOutboundError(error, rules.host);
  }
  return Buffer.concat(chunks, size);
}

// Our own inflate, because that of fetch has no cap: 300 KB sent can cost it 300 MB.
async function inflate(sent: Buffer, { host, maxBytes }: BodyRules): Promise<Buffer> {
  try {
    return await gunzipAsync(sent, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge({ host, maxBytes });
    throw new OutboundError('bad_encoding', `${host} sent broken gzip`, { cause });
  }
}

function parseJson(bytes: Buffer, { host }: BodyRules): unknown {
  if (bytes.length === 0) throw new OutboundError('not_json', `${host} answered without a body`);
  const text = decodeUtf8(bytes, host);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OutboundError('not_json', `${host} sent invalid JSON`, { cause });
  }
  if (!isDeeperThan(value, MAX_JSON_DEPTH)) return value;
  throw new OutboundError('not_json', `${host} sent JSON that is nested too deep`);
}

function decodeUtf8(bytes: Buffer, host: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OutboundError('bad_encoding', `${host} sent text that is not UTF-8`, { cause });
  }
}

function tooLarge({ host, maxBytes }: BodyRules): OutboundError {
  return new OutboundError('too_large', `${host} sent more than ${maxBytes} bytes`);
}
