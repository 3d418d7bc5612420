import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from '../shims/disk-shim.ts';

/** The possible state of a file on disk. */
interface FileModel {
  /** The content at the last fsync; undefined if the file did not exist. */
  durable: Bytes | undefined;
  /** The operations since then; any part of them may be on disk. */
  pending: Operation[];
}

/** The bytes of a file, in a buffer that may be longer. */
interface Bytes {
  buffer: Buffer;
  length: number;
}

/** The part of unsynced writes that survives a power cut: none, all, a prefix, or any sectors. */
export type Survival = 'nothing' | 'all' | 'beginning' | 'sectors';
export const SURVIVALS: readonly Survival[] = ['nothing', 'all', 'beginning', 'sectors'];

/** The files of a directory on a disk that guarantees only synced data. */
export interface Disk {
  apply(operation: Operation): void;
  /** Writes a state in which a power cut at this moment may leave the files. */
  cut(dir: string, survival: Survival, random: () => number): void;
}

/** A disk whose files are those of `dir`, all synced. */
export function createDisk(dir: string): Disk {
  const files = new Map<string, FileModel>();
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (!statSync(path).isFile() || name.endsWith('-shm') || name === 'hutch.lock') continue;
    const buffer = readFileSync(path);
    files.set(name, { durable: { buffer, length: buffer.length }, pending: [] });
  }
  return {
    apply: (operation) => {
      const file = files.get(operation.file) ?? { durable: undefined, pending: [] };
      files.set(operation.file, file);
      if (operation.kind === 'sync') {
        file.durable = file.pending.reduce(applied, file.durable) ?? emptyFile();
        file.pending = [];
      } else {
        file.pending.push(operation);
      }
    },
    cut: (to, survival, random) => {
      for (const [name, { durable, pending }] of files) {
        const copy = durable && { ...durable, buffer: Buffer.from(durable.buffer) };
        const left = survivors(pending, survival, random).reduce(applied, copy);
        if (left) writeFileSync(join(to, name), left.buffer.subarray(0, left.length));
      }
    },
  };
}

/** Does an operation to a file, in place, and returns the file; undefined once it is unlinked. */
function applied(file: Bytes | undefined, { kind, offset, bytes }: Operation): Bytes | undefined {
  if (kind === 'unlink') return undefined;
  const next = file ?? emptyFile();
  if (kind === 'truncate') resize(next, offset);
  if (kind === 'write') {
    resize(next, Math.max(next.length, offset + bytes.length));
    bytes.copy(next.buffer, offset);
  }
  return next;
}

function emptyFile(): Bytes {
  return { buffer: Buffer.alloc(0), length: 0 };
}

/** A file grows by zeros. */
function resize(file: Bytes, length: number): void {
  if (length > file.buffer.length) {
    const larger = Buffer.alloc(length * 2);
    file.buffer.copy(larger, 0, 0, file.length);
    file.buffer = larger;
  }
  if (length < file.length) file.buffer.fill(0, length, file.length);
  file.length = length;
}

function survivors(pending: Operation[], survival: Survival, random: () => number): Operation[] {
  if (survival === 'nothing') return [];
  if (survival === 'all') return pending;
  const sector = random() < 0.5 ? 512 : 4096;
  if (survival === 'beginning') {
    const count = Math.floor(random() * (pending.length + 1));
    const last = pending[count];
    return [...pending.slice(0, count), ...(last ? torn(last, sector, 0.5, random) : [])];
  }
  const share = random();
  return pending.flatMap((operation) => torn(operation, sector, share, random));
}

/** The sectors of a write that reached the disk; another operation as a whole or not at all. */
function torn(
  operation: Operation,
  sector: number,
  share: number,
  random: () => number,
): Operation[] {
  const { kind, offset, bytes } = operation;
  if (kind !== 'write') return random() < share ? [operation] : [];
  const parts: Operation[] = [];
  for (let at = 0; at < bytes.length; ) {
    // Sectors are those of the disk, whatever the write begins with.
    const end = Math.min(bytes.length, at + sector - ((offset + at) % sector));
    if (random() < share) {
      parts.push({ ...operation, offset: offset + at, bytes: bytes.subarray(at, end) });
    }
    at = end;
  }
  return parts;
}
