import { Database, SQLiteError } from 'bun:sqlite';
import { accessSync, chmodSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../utils/system-error.ts';
import { StartupError } from '../exceptions.ts';
import { opening } from './storage-error.ts';

/** The files that Hutch creates in its data directory. */
const FILES = [
  'hutch.db',
  'hutch.db-wal',
  'hutch.db-shm',
  'hutch.events',
  'hutch.lock',
  'secrets.key',
] as const;
const DIRECTORIES = ['outbox'] as const;
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Returns the path of the database in `dataDir`. Creates `dataDir` with mode 0700 if missing, and
 * removes write access of others if this user owns it. Throws StartupError that names the path if
 * `dataDir` or one of its files cannot be used or is a symbolic link: its creator could choose the
 * file that is overwritten or exposed.
 */
export function databasePath(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartupError(`The data directory ${dataDir} cannot be created: ${reasonOf(error)}.`);
  }
  refuseForbidden(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  closeToOthers(dataDir);
  for (const name of FILES) refuseUnusable(join(dataDir, name), 'file');
  for (const name of DIRECTORIES) refuseUnusable(join(dataDir, name), 'directory');
  return join(dataDir, 'hutch.db');
}

function refuseUnusable(path: string, kind: 'file' | 'directory'): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (found.isSymbolicLink()) {
    throw new StartupError(`${path} is a symbolic link, which Hutch does not follow.`);
  }
  if (kind === 'file' ? !found.isFile() : !found.isDirectory()) {
    throw new StartupError(`${path} must be a ${kind} or not exist.`);
  }
  refuseForbidden(path, constants.R_OK | constants.W_OK);
}

/** Throws StartupError unless this process has access `mode` to `path`. */
function refuseForbidden(path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    const own = process.getuid?.();
    const owner = statSync(path, { throwIfNoEntry: false })?.uid;
    const isForeign = own !== undefined && owner !== undefined && owner !== own;
    const hint = isForeign ? ` It belongs to user ${owner}, and hutch runs as user ${own}.` : '';
    throw new StartupError(`${path} cannot be written: ${reasonOf(error)}.${hint}`);
  }
}

/** Returns true if `path` is a symbolic link. */
export function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** Removes write access of others, except from shared (sticky) directories such as /tmp. */
function closeToOthers(dataDir: string): void {
  const { mode, uid } = statSync(dataDir);
  const isOwn = uid === process.getuid?.() && (mode & STICKY) === 0;
  if (isOwn && (mode & WRITABLE_BY_OTHERS) !== 0) {
    chmodSync(dataDir, mode & 0o7777 & ~WRITABLE_BY_OTHERS);
  }
}

/**
 * Claims `dataDir` for one server and returns a function that releases it. The claim is a lock that
 * the system releases when the process ends. Throws StartupError if another process holds it.
 */
export function claimDataDir(dataDir: string): () => void {
  const path = join(dataDir, 'hutch.lock');
  const lock = opening(path, () => new Database(path, { create: true, readwrite: true }));
  try {
    opening(path, () => hold(lock, dataDir));
  } catch (error) {
    lock.close();
    throw error;
  }
  chmodSync(path, 0o600);
  return () => lock.close();
}

/** Locks the file while it is open. Throws StartupError if another process has locked it. */
function hold(lock: Database, dataDir: string): void {
  try {
    lock.run('PRAGMA journal_mode = MEMORY');
    lock.run('PRAGMA locking_mode = EXCLUSIVE');
    lock.run('BEGIN EXCLUSIVE');
  } catch (error) {
    if (error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY')) {
      throw new StartupError(`Another hutch is serving the data directory ${dataDir}.`);
    }
    throw error;
  }
}
