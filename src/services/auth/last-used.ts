import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';

/**
 * Returns a function that records the last use of a session or token in the background. At most one
 * write per id is queued, however long another process holds the lock.
 */
export function createLastUsed(
  { db, log }: { db: Db; log: Log },
  write: (tx: Tx, id: number, last_used_at: string) => Promise<void>,
): (id: number, at: Date) => void {
  const queued = new Set<number>();
  return (id, at) => {
    if (queued.has(id)) return;
    queued.add(id);
    db.write((tx) => write(tx, id, at.toISOString()))
      .catch((error) => log.warn('Could not record the last use.', { error }))
      .finally(() => queued.delete(id));
  };
}
