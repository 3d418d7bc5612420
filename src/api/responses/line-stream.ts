import type { Server } from 'bun';
import { AppError } from '../../core/exceptions.ts';
import { isIdentity, isUtf8, mediaTypeOf } from '../../utils/http/media-type.ts';
import { BYTES, LINE_MEDIA, LINE_TYPES, type LineFormat } from '../request/media-types.ts';
import type { ResponseSet } from './response-set.ts';
import { textStream } from './text-stream.ts';

/** The unread lines of an import. */
export interface Incoming {
  format: LineFormat;
  bytes: AsyncIterable<Uint8Array>;
}

interface Connection {
  server: Server<unknown> | null;
  /** The connection is closed if the client sends nothing for this long. */
  idleSeconds: number;
}

interface IncomingOptions {
  maxBytes: number;
  connection: Connection;
}

/**
 * Returns the body of an import as a stream. `format` must agree with the media type; if that is
 * application/octet-stream, `format` decides, by default JSON Lines. Throws unsupported_media_type
 * and payload_too_large, which `bytes` also throws while it is read.
 */
export function incoming(
  request: Request,
  format: LineFormat | undefined,
  { maxBytes, connection }: IncomingOptions,
): Incoming {
  const header = request.headers.get('content-type');
  const found = formatOf(mediaTypeOf(header), format);
  const isPlain = isUtf8(header) && isIdentity(request.headers.get('content-encoding'));
  if (!found || !isPlain || (format !== undefined && format !== found)) {
    const types = format ? [BYTES, ...LINE_MEDIA[format]] : LINE_TYPES;
    throw new AppError('unsupported_media_type', `The body must be ${types.join(' or ')}`);
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  return { format: found, bytes: bounded(request, maxBytes, connection) };
}

/** Returns the format of a media type; without one, the body is bytes (RFC 9110, 8.3). */
function formatOf(name: string, requested: LineFormat = 'jsonl'): LineFormat | undefined {
  if (name === '' || name === BYTES) return requested;
  const formats = Object.keys(LINE_MEDIA) as LineFormat[];
  return formats.find((it) => (LINE_MEDIA[it] as readonly string[]).includes(name));
}

/**
 * Yields the chunks of a body. The idle timeout of the connection counts only while waiting for the
 * client, not while rows are written. If the consumer stops early, the rest is read and dropped up
 * to the limit: a client that is still sending would otherwise see a broken connection, not the response.
 */
async function* bounded(
  request: Request,
  maxBytes: number,
  connection: Connection,
): AsyncGenerator<Uint8Array> {
  const { body, signal } = request;
  const reader = body?.getReader();
  let length = 0;
  const read = async (): Promise<Uint8Array | undefined> => {
    connection.server?.timeout(request, connection.idleSeconds);
    const { value } = (await reader?.read()) ?? {};
    connection.server?.timeout(request, 0);
    length += value?.byteLength ?? 0;
    return value;
  };
  try {
    for (let chunk = await read(); chunk; chunk = await read()) {
      if (length > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  } catch (error) {
    // The client has disconnected.
    if (!signal.aborted) throw error;
  } finally {
    while (length <= maxBytes && (await read().catch(() => undefined)));
    reader?.cancel().catch(() => {});
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', `The body must not exceed ${maxBytes} bytes`);
}

/** The name of a file of lines, without its format. */
interface LineFile {
  name: string;
  format: LineFormat;
}

/** Responds with lines as a file. */
export function outgoing(
  lines: AsyncGenerator<{ text: string }>,
  { name, format }: LineFile,
  set: ResponseSet,
): ReadableStream<Uint8Array> {
  return textStream<ReadableStream<Uint8Array>>(lines, set, {
    'content-type': LINE_MEDIA[format][0],
    'content-disposition': `attachment; filename="${name}.${format}"`,
  });
}
