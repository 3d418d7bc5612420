import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError, StartupError } from '../exceptions.ts';
import { isBusy, sqliteCode, sqliteError } from './busy.ts';

/** Why the database cannot be used. */
export type StorageFault = 'storage_full' | 'storage_failed';

/** Errors of SQLite when a file of the database cannot be read or written. */
const FAILED = /^SQLITE_(IOERR|READONLY|CORRUPT|NOTADB|CANTOPEN|NOLFS|AUTH$)/;
/** Bytes that a probe of the disk writes: about as many as one group of writers. */
const PROBE_BYTES = 1024 * 1024;

/**
 * Converts an error of SQLite about its files into an AppError: database_busy, storage_full or
 * storage_failed. Returns other errors, such as a violated constraint, unchanged. `dir` is the
 * directory of the database: a full disk quota, which SQLite reports as a failed write, is
 * detected there.
 */
export function storageError(error: unknown, dir?: string): unknown {
  const code = sqliteCode(error);
  if (isBusy(error)) {
    return new AppError('database_busy', 'The database is busy', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (isOutOfSpace(code, dir)) {
    return new AppError('storage_full', 'The disk is full', { cause: error });
  }
  if (FAILED.test(code)) {
    return new AppError('storage_failed', 'The database cannot be read or written', {
      cause: error,
    });
  }
  return error;
}

/** Returns the result of `open`. Throws a StartupError that names `path` for errors of SQLite. */
export function opening<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw openingError(error, path);
  }
}

/** The names of error numbers, which node:sqlite lacks. */
const CODES: Record<number, string> = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
};

function openingError(error: unknown, path: string): unknown {
  const { errcode } = error as { errcode?: number };
  const code = errcode === undefined ? sqliteCode(error) : (CODES[errcode & 0xff] ?? '');
  if (code === '') return error;
  const reason = isOutOfSpace(code, dirname(path))
    ? 'the disk is full'
    : openingReason(code, error);
  return new StartupError(`The database ${path} cannot be used: ${reason}.`);
}

const REASONS: [code: RegExp, reason: string][] = [
  [/^SQLITE_NOTADB/, 'it is not a SQLite database'],
  [/^SQLITE_CORRUPT/, 'it is damaged'],
  [/^SQLITE_READONLY/, 'it is read-only'],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'another process holds its lock'],
  [/^SQLITE_CANTOPEN/, 'it cannot be opened'],
  [/^SQLITE_IOERR/, 'the disk failed'],
];

function openingReason(code: string, error: unknown): string {
  const [, reason] = REASONS.find(([pattern]) => pattern.test(code)) ?? [];
  return reason ?? sqliteError(error)?.message ?? code;
}

/** Returns true if the disk or a quota is full; SQLite reports some of these as failed writes. */
function isOutOfSpace(code: string, dir: string | undefined): boolean {
  return code === 'SQLITE_FULL' || (/^SQLITE_IOERR/.test(code) && dir !== undefined && isFull(dir));
}

/** The column of a violated unique index, as `table.column`; undefined for any other error. */
export function uniqueViolation(error: unknown): string | undefined {
  const sqlite = sqliteError(error);
  if (sqlite?.code !== 'SQLITE_CONSTRAINT_UNIQUE') return undefined;
  return sqlite.message.match(/failed: (\S+)/)?.[1];
}

/** Returns true if `dir` is full: SQLite does not report the reason of a failed write. */
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
