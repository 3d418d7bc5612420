import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { shimLibrary } from './shim.ts';

/** Kinds of operations, as disk-shim.c numbers them. */
export const OPS = {
  write: 1,
  sync: 2,
  open: 4,
  read: 8,
  truncate: 16,
  unlink: 32,
  create: 64,
} as const;

export type OpKind = keyof typeof OPS;

/** One operation on a file of the directory. */
export interface Operation {
  kind: OpKind;
  /** When it began, in ms of the wall clock. */
  at: number;
  file: string;
  /** The offset of a write; the new length of a truncation. */
  offset: number;
  bytes: Buffer;
}

export interface Fault {
  ops: OpKind[];
  /** The errno; 0 makes a write short. */
  error: number;
  /** The number of such operations that succeed first. */
  skip: number;
  /** The number that then fail; -1 for all. */
  count: number;
}

const HEAD_BYTES = 32;
const CONTROL_BYTES = 20;
const KINDS = new Map<number, OpKind>(
  Object.entries(OPS).map(([kind, op]) => [op, kind as OpKind]),
);

/** Returns the environment of a server whose operations on `dir` are recorded in `record`. */
export function recordingEnv(dir: string, record: string): Record<string, string> {
  return { LD_PRELOAD: shimLibrary('disk-shim'), SHIM_DIR: dir, SHIM_RECORD: record };
}

/** Makes the operations of a server on `dir` fail while it runs. */
export function createFaults(dir: string) {
  const path = join(tempDir(), 'control');
  writeControl(path, { ops: [], error: 0, skip: 0, count: 0 });
  return {
    env: { LD_PRELOAD: shimLibrary('disk-shim'), SHIM_DIR: dir, SHIM_CONTROL: path },
    /** Begins a fault in place of the one before it. */
    set: (fault: Fault) => writeControl(path, fault),
    clear: () => writeControl(path, { ops: [], error: 0, skip: 0, count: 0 }),
    /** The number of operations that have failed since the fault began. */
    hits: () => readFileSync(path).readInt32LE(16),
  };
}

function writeControl(path: string, { ops, error, skip, count }: Fault): void {
  const control = Buffer.alloc(CONTROL_BYTES);
  control.writeInt32LE(error, 4);
  control.writeInt32LE(skip, 8);
  control.writeInt32LE(count, 12);
  control.writeUInt32LE(
    ops.reduce((mask, op) => mask | OPS[op], 0),
    0,
  );
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
  writeSync(file, control, 0, CONTROL_BYTES, 0);
  closeSync(file);
}

/** The operations of a record, in their order; one that was cut off at the end is left out. */
export function readRecord(path: string): Operation[] {
  const all = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at + HEAD_BYTES <= all.length; ) {
    const nameLength = all.readUInt32LE(at + 20);
    const length = Number(all.readBigUInt64LE(at + 24));
    const name = at + HEAD_BYTES;
    const bytes = name + nameLength;
    if (bytes + length > all.length) break;
    operations.push({
      kind: KINDS.get(all.readUInt32LE(at + 16)) as OpKind,
      at: Number(all.readBigInt64LE(at)) / 1e6,
      file: all.toString('utf8', name, bytes),
      offset: Number(all.readBigInt64LE(at + 8)),
      bytes: all.subarray(bytes, bytes + length),
    });
    at = bytes + length;
  }
  return operations;
}
