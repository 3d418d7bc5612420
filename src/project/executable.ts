import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { appendFile, chmod, copyFile, rename, rm, truncate } from 'node:fs/promises';
import { StartupError } from '../core/exceptions.ts';
import type { Project } from './project.ts';

/** The project that an executable carries behind its own bytes. */
export interface Payload {
  /** The version of hutch that made it. */
  version: string;
  /** The bundle of the resources: a module that exports each file as `file0`, `file1` and so on. */
  code: string;
  /** The paths of these files, such as `resources/notes.ts`. */
  files: string[];
  migrations: Project['migrations'];
}

/** The last bytes of an executable with a payload, after the length of the payload. */
const MARK = new TextEncoder().encode('HUTCHRES');
const LENGTH_BYTES = 8;
const TAIL_BYTES = LENGTH_BYTES + MARK.length;

/** Returns the payload of an executable; undefined if it has none. Reads only its end. */
export function readPayload(path: string = process.execPath): Payload | undefined {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const length = payloadLength(readAt(file, size - TAIL_BYTES, TAIL_BYTES));
    if (length === undefined) return undefined;
    const bytes = readAt(file, size - TAIL_BYTES - length, length);
    return JSON.parse(new TextDecoder().decode(bytes)) as Payload;
  } finally {
    closeSync(file);
  }
}

/**
 * Writes an executable that is `base` with `payload` behind it; the payload of `base` itself is left
 * out. Replaces `outfile` in one step. Throws StartupError if `base` is not a hutch.
 */
export async function writeExecutable(
  base: string,
  outfile: string,
  payload: Payload,
): Promise<void> {
  const size = await programSize(base);
  const added = new TextEncoder().encode(JSON.stringify(payload));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64BE(BigInt(added.length));
  const temporary = `${outfile}.${process.pid}.new`;
  try {
    await copyFile(base, temporary);
    await truncate(temporary, size);
    await appendFile(temporary, Buffer.concat([added, length, MARK]));
    await chmod(temporary, 0o755);
    await rename(temporary, outfile);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Returns the size of a hutch without its payload. */
async function programSize(path: string): Promise<number> {
  const bytes = Buffer.from((await Bun.file(path).bytes()).buffer);
  const isHutch = bytes.includes('hutch_migrations') && bytes.includes(MARK);
  if (!isHutch) throw new StartupError(`${path} is not the hutch executable: name it by --base.`);
  const length = payloadLength(bytes.subarray(-TAIL_BYTES));
  return length === undefined ? bytes.length : bytes.length - TAIL_BYTES - length;
}

function payloadLength(tail: Uint8Array): number | undefined {
  const isMarked =
    tail.length === TAIL_BYTES && MARK.every((byte, index) => tail[LENGTH_BYTES + index] === byte);
  if (!isMarked) return undefined;
  return Number(new DataView(tail.buffer, tail.byteOffset).getBigUint64(0));
}

function readAt(file: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 0));
  const read = position < 0 ? 0 : readSync(file, bytes, 0, bytes.length, position);
  return bytes.subarray(0, read);
}
