const LOOK_MS = 5_000;
/** A process that uses less than this share of one core is idle. */
const IDLE_SHARE = 0.05;
/** Trims twice: at the first look a request that has just ended may still hold memory. */
const TRIMMED_LOOKS = [1, 3];

/**
 * Returns unused memory to the system whenever the server becomes idle. `shrinkDatabase` frees the
 * caches of SQLite. The returned function stops it.
 */
export function trimWhenIdle(shrinkDatabase: () => void): () => void {
  let idleLooks = 0;
  let before = process.cpuUsage();
  const timer = setInterval(() => {
    const used = process.cpuUsage(before);
    before = process.cpuUsage();
    const isIdle = (used.user + used.system) / 1000 < IDLE_SHARE * LOOK_MS;
    idleLooks = isIdle ? idleLooks + 1 : 0;
    if (!TRIMMED_LOOKS.includes(idleLooks)) return;
    shrinkDatabase();
    Bun.gc(true);
    Bun.shrink();
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
