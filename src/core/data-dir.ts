import { Database, SQLiteError } from 'bun:sqlite';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from './exceptions.ts';

/** Gives the path of the database in `dataDir`, which is created, 0700, if it is not there. */
export function databasePath(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartupError(`The data directory ${dataDir} cannot be made: ${String(error)}`);
  }
  return join(dataDir, 'hutch.db');
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
