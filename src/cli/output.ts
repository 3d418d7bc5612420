import { StartupError } from '../core/exceptions.ts';
import { isSystemError, reasonOf } from '../utils/system-error.ts';
import { isBrokenPipe } from './failure.ts';

/**
 * Writes a line to standard output and waits until it is written. Throws StartupError if that fails,
 * for example because a disk is full, and EPIPE if the reader has gone. console.log ignores both.
 */
export async function print(line: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
  } catch (error) {
    if (!isSystemError(error) || isBrokenPipe(error)) throw error;
    throw new StartupError(`Standard output cannot be written: ${reasonOf(error)}.`);
  }
}
