import { inPieces } from '../async/event-loop.ts';

/** A line without its terminator; `bytes` is undefined if it is too long. Lines count from 1. */
export interface ByteLine {
  line: number;
  bytes: Uint8Array | undefined;
}

/** Bytes that are split into lines without yielding to the event loop. */
const PIECE_BYTES = 8192;
const NEWLINE = 10;
const SPACE = 0x20;
const BOM = [0xef, 0xbb, 0xbf];

/** Splits a stream of bytes into lines. Holds at most one line, of `maxBytes`, in memory. */
export async function* byteLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<ByteLine> {
  let line = 1;
  let parts: Uint8Array[] = [];
  let length = 0;
  const add = (part: Uint8Array) => {
    length += part.byteLength;
    if (length <= maxBytes && part.byteLength > 0) parts.push(part);
  };
  const take = (): ByteLine => {
    const bytes = length > maxBytes ? undefined : joined(parts);
    parts = [];
    length = 0;
    return { line: line++, bytes };
  };
  for await (const chunk of inPieces(source, PIECE_BYTES)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

/** True if there are only spaces and control characters. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= SPACE);
}

/** Removes the byte order mark that some programs write before UTF-8. */
export async function* withoutBom(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const chunk of source) {
    if (!head) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.byteLength < BOM.length) continue;
    yield startsWithBom(head) ? head.subarray(BOM.length) : head;
    head = undefined;
  }
  if (head) yield head;
}

function startsWithBom(bytes: Uint8Array): boolean {
  return BOM.every((byte, index) => bytes[index] === byte);
}

function joined(parts: Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
