import { sqliteCode } from './storage-error.ts';

/** How long a query waits for the locks of other processes. */
export const LOCK_PATIENCE_MS = 5_000;
/** Between two attempts: an attempt that fails costs about 5 µs. */
const LONGEST_WAIT_MS = 10;

/** True when another process holds a lock that the statement needs: a repeat may succeed. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(sqliteCode(error));
}

/** Waits 1, 2, 4, 8 and from then on 10 ms; `attempt` begins with 0. */
export function waitForLock(attempt: number): Promise<void> {
  return Bun.sleep(Math.min(2 ** attempt, LONGEST_WAIT_MS));
}

/**
 * Runs a statement that failed with `error` again until no lock is in its way, waiting by a
 * timer: SQLite itself would put the whole process to sleep. Throws what is no matter of locks
 * at once, and the last error once `patienceMs` are over.
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
