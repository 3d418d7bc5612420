import { SQLiteError } from 'bun:sqlite';

/** The time that a query waits for the locks of other processes. */
export const LOCK_PATIENCE_MS = 5_000;
/** The longest wait between two attempts: a failed attempt costs about 5 µs. */
const LONGEST_WAIT_MS = 10;

/** Returns true if another process holds a lock that the statement needs: a retry may succeed. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(sqliteCode(error));
}

/** SQLite's name of an error, such as SQLITE_BUSY; '' for any other error. */
export function sqliteCode(error: unknown): string {
  return sqliteError(error)?.code ?? '';
}

/** The error of SQLite in `error` or its causes. */
export function sqliteError(error: unknown): SQLiteError | undefined {
  if (error instanceof SQLiteError) return error;
  return error instanceof Error && error.cause !== undefined ? sqliteError(error.cause) : undefined;
}

/** Waits 1, 2, 4, 8 and from then on 10 ms; `attempt` starts at 0. */
export function waitForLock(attempt: number): Promise<void> {
  return Bun.sleep(Math.min(2 ** attempt, LONGEST_WAIT_MS));
}

/**
 * Retries a statement that failed with `error` until no lock blocks it. Waits by a timer: SQLite
 * itself would block the whole process. Rethrows errors that are not about locks at once, and the
 * last error after `patienceMs`.
 */
export async function retryWhileBusy<T>(
  error: unknown,
  run: () => T,
  patienceMs = LOCK_PATIENCE_MS,
): Promise<T> {
  const until = performance.now() + patienceMs;
  let latest = error;
  for (let attempt = 0; isBusy(latest) && performance.now() < until; attempt++) {
    await waitForLock(attempt);
    try {
      return run();
    } catch (again) {
      latest = again;
    }
  }
  throw latest;
}
