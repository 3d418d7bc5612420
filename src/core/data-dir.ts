import { Database, SQLiteError } from 'bun:sqlite';
import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from './exceptions.ts';

/** What Hutch makes in its data directory. */
const FILES = ['hutch.db', 'hutch.db-wal', 'hutch.db-shm', 'hutch.lock', 'secrets.key', 'outbox'];
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The path of the database in `dataDir`, which is created, 0700, if it is not there; one of our own
 * that others may write to is closed to them. Throws StartupError if a file of ours there is a
 * symbolic link: whoever made it chose what would be overwritten or opened to him.
 */
export function databasePath(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartupError(`The data directory ${dataDir} cannot be made: ${String(error)}`);
  }
  closeToOthers(dataDir);
  for (const name of FILES) {
    const path = join(dataDir, name);
    if (isLink(path))
      throw new StartupError(`${path} is a symbolic link, which Hutch does not follow.`);
  }
  return join(dataDir, 'hutch.db');
}

/** Whether there is a symbolic link at `path`. */
export function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** A directory that users share, as /tmp, is sticky, and stays as it is. */
function closeToOthers(dataDir: string): void {
  const { mode, uid } = statSync(dataDir);
  const isOwn = uid === process.getuid?.() && (mode & STICKY) === 0;
  if (isOwn && (mode & WRITABLE_BY_OTHERS) !== 0) {
    chmodSync(dataDir, mode & 0o7777 & ~WRITABLE_BY_OTHERS);
  }
}

/**
 * Claims `dataDir` for one server and gives what releases it. The claim is a lock that the
 * system drops with the process, however it ends. Throws StartupError when it is taken.
 */
export function claimDataDir(dataDir: string): () => void {
  const path = join(dataDir, 'hutch.lock');
  const lock = new Database(path, { create: true, readwrite: true });
  try {
    lock.run('PRAGMA journal_mode = MEMORY');
    lock.run('PRAGMA locking_mode = EXCLUSIVE');
    lock.run('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY')) {
      throw new StartupError(`Another hutch is serving the data directory ${dataDir}.`);
    }
    throw error;
  }
  chmodSync(path, 0o600);
  return () => lock.close();
}
