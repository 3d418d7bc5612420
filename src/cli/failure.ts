import { constants } from 'node:os';
import { ConfigError, loadConfig } from '../core/config/config.ts';
import { storageError } from '../core/db/storage-error.ts';
import { AppError, StartupError } from '../core/exceptions.ts';
import { isSystemError, reasonOf } from '../utils/system-error.ts';
import { type Invocation, UsageError } from './command.ts';

/**
 * Prints why a command failed and returns its exit status: 2 for wrong use or settings, else 1; 141,
 * without a word, where the reader of the output has gone. What
 * an operator can put right is one sentence; only a fault of Hutch itself shows where it happened.
 */
export function reportFailure(
  name: string,
  { flags }: Pick<Invocation, 'flags'>,
  error: unknown,
): number {
  if (isBrokenPipe(error)) return BROKEN_PIPE;
  if (error instanceof UsageError || error instanceof ConfigError) {
    console.error(`${error.message}\n\nSee hutch ${name} --help.`);
    return 2;
  }
  const sentence = sentenceOf(error, flags);
  if (sentence === undefined) console.error(`hutch ${name}:`, error);
  else console.error(`hutch ${name}: ${sentence}`);
  return 1;
}

/** The status of a shell for a program whose reader has gone, as `| head` does. */
const BROKEN_PIPE = 128 + constants.signals.SIGPIPE;

/** Ends a command without a word when the reader of its output has gone. */
export function endOnBrokenPipe(abort: (status: number) => void): void {
  process.stdout.on('error', (error) => {
    if (!isBrokenPipe(error)) throw error;
    abort(BROKEN_PIPE);
  });
}

export function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE';
}

function sentenceOf(error: unknown, flags: Invocation['flags']): string | undefined {
  if (error instanceof StartupError) return error.message;
  const { dataDir } = loadConfig(flags);
  const told = storageError(error, dataDir);
  if (told instanceof AppError) return `${told.message}${detailsOf(told, dataDir)}.`;
  if (!isSystemError(error)) return undefined;
  return `${error.path ?? 'A file'} cannot be used: ${reasonOf(error)}.`;
}

/** Returns what belongs to a message: the values that were refused, or where the database is. */
function detailsOf({ code, fields }: AppError, dataDir: string): string {
  if (['storage_full', 'storage_failed', 'database_busy'].includes(code)) return ` in ${dataDir}`;
  const refused = fields.map(({ path, msg }) => `${path.join('.')}: ${msg}`);
  return refused.length > 0 ? ` (${refused.join('; ')})` : '';
}
