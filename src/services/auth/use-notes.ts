import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Log } from '../../core/log.ts';

/**
 * Notes that a session or token was used, without the caller waiting for it. While one note of
 * an id is queued, as long as another process holds the lock, no second one is.
 */
export function createUseNotes(
  { db, log }: { db: Db; log: Log },
  write: (tx: Tx, id: number, last_used_at: string) => Promise<void>,
): (id: number, at: Date) => void {
  const queued = new Set<number>();
  return (id, at) => {
    if (queued.has(id)) return;
    queued.add(id);
    db.write((tx) => write(tx, id, at.toISOString()))
      .catch((error) => log.warn('A use was not noted.', { error }))
      .finally(() => queued.delete(id));
  };
}
