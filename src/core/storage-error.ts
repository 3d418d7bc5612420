import { SQLiteError } from 'bun:sqlite';
import { AppError } from './exceptions.ts';

/**
 * Turns what SQLite says of its file into an AppError with a code: database_busy, storage_full
 * or storage_failed. Anything else, a violated constraint too, is given back as it is.
 */
export function storageError(error: unknown): unknown {
  const sqlite = sqliteError(error);
  const code = sqlite?.code ?? '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new AppError('database_busy', 'The database is busy', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (code === 'SQLITE_FULL') {
    return new AppError('storage_full', 'The disk is full', { cause: error });
  }
  if (code.startsWith('SQLITE_IOERR') || code === 'SQLITE_READONLY') {
    return new AppError('storage_failed', 'The database cannot be written', { cause: error });
  }
  return error;
}

/** The column of a violated unique index, as `table.column`; undefined for any other error. */
export function uniqueViolation(error: unknown): string | undefined {
  const sqlite = sqliteError(error);
  if (sqlite?.code !== 'SQLITE_CONSTRAINT_UNIQUE') return undefined;
  return sqlite.message.match(/failed: (\S+)/)?.[1];
}

function sqliteError(error: unknown): SQLiteError | undefined {
  if (error instanceof SQLiteError) return error;
  return error instanceof Error && error.cause !== undefined ? sqliteError(error.cause) : undefined;
}
