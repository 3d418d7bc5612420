import type { Database } from 'bun:sqlite';
import { StartupError } from '../../exceptions.ts';
import { sqliteCode } from '../busy.ts';

/** Errors of the statement or of the rows, and not of the disk or a lock. */
const OWN = /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|TOOBIG|RANGE)/;

/**
 * Runs a statement. Throws StartupError with `problem`, SQLite's message and the statement if SQLite
 * refuses it.
 */
export function runOrExplain(client: Database, sql: string, problem: string): void {
  try {
    client.run(sql);
  } catch (error) {
    throw isRefused(error) ? new StartupError(`${problem}: ${messageOf(error)} in: ${sql}`) : error;
  }
}

/** Returns true if SQLite refused a statement, and false if it could not read or write the file. */
export function isRefused(error: unknown): boolean {
  return OWN.test(sqliteCode(error));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
