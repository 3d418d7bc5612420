import { constants } from 'node:os';
import { ConfigError, loadConfig } from '../core/config/config.ts';
import { storageError } from '../core/db/storage-error.ts';
import { AppError, StartupError } from '../core/exceptions.ts';
import { isSystemError, reasonOf } from '../utils/system-error.ts';
import { type Invocation, UsageError } from './command.ts';

/**
 * Prints why a command failed and returns its exit status: 2 for wrong use or settings, otherwise 1.
 * Returns 141 silently if the reader of the output has gone. A problem that an operator can fix is one
 * sentence; only a bug in Hutch prints a stack trace.
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

/** The status that a shell reports when the reader of a pipe has gone, such as `| head`. */
const BROKEN_PIPE = 128 + constants.signals.SIGPIPE;

/** Ends a command silently when the reader of its output has gone. `print` reports other errors. */
export function endOnBrokenPipe(abort: (status: number) => void): void {
  process.stdout.on('error', (error) => {
    if (isBrokenPipe(error)) abort(BROKEN_PIPE);
  });
}

export function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE';
}

function sentenceOf(error: unknown, flags: Invocation['flags']): string | undefined {
  if (error instanceof StartupError) return error.message;
  const { dataDir } = loadConfig(flags);
  const failure = storageError(error, dataDir);
  if (failure instanceof AppError) return `${failure.message}${detailsOf(failure, dataDir)}.`;
  if (!isSystemError(error)) return undefined;
  return `${error.path ?? 'A file'} cannot be used: ${reasonOf(error)}.`;
}

/** Returns the details of a message: the refused values, or the path of the database. */
function detailsOf({ code, fields }: AppError, dataDir: string): string {
  if (['storage_full', 'storage_failed', 'database_busy'].includes(code)) return ` in ${dataDir}`;
  const refused = fields.map(({ path, msg }) => `${path.join('.')}: ${msg}`);
  return refused.length > 0 ? ` (${refused.join('; ')})` : '';
}
