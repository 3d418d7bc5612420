const MAX_MS = 100;

/**
 * Returns a function that sleeps for as long as has passed since its last call ended, 100 ms at
 * most. Between transactions of a command it leaves the lock free for a server that waits for it.
 */
export function createRest(): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    await Bun.sleep(Math.min(performance.now() - sinceMs, MAX_MS));
    sinceMs = performance.now();
  };
}
