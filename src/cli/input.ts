import { constants, fstatSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { reasonOf } from '../utils/system-error.ts';
import { UsageError } from './command.ts';

/** Bytes that a command reads, and their number if it is known. */
export interface Input {
  stream: AsyncIterable<Uint8Array>;
  totalBytes?: number;
}

/** Opens the file at `path` for reading; - is standard input. Throws UsageError. */
export async function openInput(path: string): Promise<Input> {
  try {
    if (path === '-') {
      if (fstatSync(0).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
      return { stream: Bun.stdin.stream() };
    }
    const found = await stat(path);
    // Not opened, because the writer of a pipe would notice.
    await access(path, constants.R_OK);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    const file = Bun.file(path);
    return { stream: file.stream(), ...(found.isFile() && { totalBytes: found.size }) };
  } catch (error) {
    const name = path === '-' ? 'Standard input' : path;
    throw new UsageError(`${name} cannot be read: ${reasonOf(error)}.`);
  }
}
