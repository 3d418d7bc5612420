import { and, gt, isNull, max, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Job } from '../../core/jobs/recurring.ts';
import { type AuditEntry, auditLog } from '../../models/audit-log.ts';

export interface AccessChanges {
  /**
   * Notifies the watchers of an account, once `tx` is committed, that some of its sessions or tokens
   * ended or that its role or state changed.
   */
  note(tx: Tx, user_id: number): void;
  /** Calls `listener` after each change of an account. Returns a function that stops this. */
  watch(user_id: number, listener: () => void): () => void;
  /** Notifies of changes that commands make in other processes, within a second. */
  job: Job;
}

const POLL_MS = 1_000;
const MAX_ENTRIES = 1_000;

const entriesAfter = prepare<{ after: number }, Pick<AuditEntry, 'id' | 'user_id'>[]>((orm) =>
  orm
    .select({ id: auditLog.id, user_id: auditLog.user_id })
    .from(auditLog)
    .where(and(gt(auditLog.id, sql.placeholder('after')), isNull(auditLog.actor_id)))
    .orderBy(auditLog.id)
    .limit(MAX_ENTRIES),
);

/** Notifies long-lived responses, such as event streams, of changes to their access. */
export function createAccessChanges({ db }: { db: Db }): AccessChanges {
  const listeners = new Map<number, Set<() => void>>();
  let lastSeen = newestEntry(db);
  const notify = (user_id: number) => {
    for (const listener of listeners.get(user_id) ?? []) listener();
  };
  const poll = async (): Promise<boolean> => {
    if (listeners.size === 0) {
      lastSeen = newestEntry(db);
      return false;
    }
    // Commands have no actor: their audit entries name only the account.
    const entries = await entriesAfter(db.read, { after: lastSeen });
    lastSeen = entries.at(-1)?.id ?? lastSeen;
    for (const user_id of new Set(entries.map((it) => it.user_id))) if (user_id) notify(user_id);
    return entries.length === MAX_ENTRIES;
  };
  return {
    note: (tx, user_id) => tx.afterCommit(() => notify(user_id)),
    watch: (user_id, listener) => {
      const own = listeners.get(user_id) ?? new Set();
      listeners.set(user_id, own.add(listener));
      return () => {
        if (own.delete(listener) && own.size === 0) listeners.delete(user_id);
      };
    },
    job: { name: 'access changes', everyMs: POLL_MS, run: poll },
  };
}

function newestEntry({ read }: Db): number {
  const newest = read.orm.select({ id: max(auditLog.id) }).from(auditLog);
  return newest.get()?.id ?? 0;
}
