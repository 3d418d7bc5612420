import { SQLiteError } from 'bun:sqlite';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from './exceptions.ts';

/** What SQLite says when a file of the database cannot be read or written. */
const FAILED = /^SQLITE_(IOERR|READONLY|CORRUPT|NOTADB|CANTOPEN|NOLFS|AUTH$)/;
/** Bytes that a probe of the disk writes: about what one group of writers needs. */
const PROBE_BYTES = 1024 * 1024;

/**
 * Turns what SQLite says of its files into an AppError with a code: database_busy, storage_full
 * or storage_failed. Returns anything else, a violated constraint too, as it is. `dir` is where
 * the database is: a spent quota, which SQLite calls a failed write, is found out there.
 */
export function storageError(error: unknown, dir?: string): unknown {
  const code = sqliteCode(error);
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return new AppError('database_busy', 'The database is busy', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (code === 'SQLITE_FULL' || (/^SQLITE_IOERR/.test(code) && dir !== undefined && isFull(dir))) {
    return new AppError('storage_full', 'The disk is full', { cause: error });
  }
  if (FAILED.test(code)) {
    return new AppError('storage_failed', 'The database cannot be read or written', {
      cause: error,
    });
  }
  return error;
}

/** The column of a violated unique index, as `table.column`; undefined for any other error. */
export function uniqueViolation(error: unknown): string | undefined {
  const sqlite = sqliteError(error);
  if (sqlite?.code !== 'SQLITE_CONSTRAINT_UNIQUE') return undefined;
  return sqlite.message.match(/failed: (\S+)/)?.[1];
}

/** SQLite's name of an error, as SQLITE_BUSY; '' for any other error. */
export function sqliteCode(error: unknown): string {
  return sqliteError(error)?.code ?? '';
}

function sqliteError(error: unknown): SQLiteError | undefined {
  if (error instanceof SQLiteError) return error;
  return error instanceof Error && error.cause !== undefined ? sqliteError(error.cause) : undefined;
}

/** Whether nothing more fits into `dir`: SQLite keeps the reason of a failed write to itself. */
function isFull(dir: string): boolean {
  const path = join(dir, '.probe');
  try {
    writeFileSync(path, Buffer.alloc(PROBE_BYTES, 1), { mode: 0o600 });
    return false;
  } catch (error) {
    return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    rmSync(path, { force: true });
  }
}
