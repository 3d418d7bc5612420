import { gunzipSync } from 'node:zlib';
import { OutboundError, toOutboundError } from './errors.ts';

/** What a body may be. */
export interface ByteRules {
  /** For messages. */
  readonly host: string;
  /** Largest body in bytes, both as sent and after decompression. */
  readonly maxBytes: number;
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The bytes of a body whose length, where it has said one, is no larger than the largest.
 * Throws too_large, bad_encoding, and what `toOutboundError` makes of a broken connection.
 */
export async function readBytes(
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

export function tooLarge({ host, maxBytes }: ByteRules): OutboundError {
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
