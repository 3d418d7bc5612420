import { and, gt, isNull, max, sql } from 'drizzle-orm';
import type { Db } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import type { Tx } from '../../core/db/writer.ts';
import { type AuditEntry, auditLog } from '../../models/index.ts';
import type { Job } from '../jobs.ts';

export interface AccessChanges {
  /**
   * Notes that sessions or tokens of an account ended, or that its role or state changed. Once
   * `tx` is committed, whoever watches the account is told.
   */
  note(tx: Tx, user_id: number): void;
  /** Calls `judge` at each such change of an account, until the returned function is called. */
  watch(user_id: number, judge: () => void): () => void;
  /** Tells of the changes that commands in other processes make, within a second. */
  job: Job;
}

const LOOK_MS = 1_000;
const MAX_ENTRIES = 1_000;

const entriesAfter = prepare<{ after: number }, Pick<AuditEntry, 'id' | 'user_id'>[]>((orm) =>
  orm
    .select({ id: auditLog.id, user_id: auditLog.user_id })
    .from(auditLog)
    .where(and(gt(auditLog.id, sql.placeholder('after')), isNull(auditLog.actor_id)))
    .orderBy(auditLog.id)
    .limit(MAX_ENTRIES),
);

/** Tells responses that last, such as event streams, to ask at once whether they still may. */
export function createAccessChanges({ db }: { db: Db }): AccessChanges {
  const watchers = new Map<number, Set<() => void>>();
  let seen = newestEntry(db);
  const tell = (user_id: number) => {
    for (const judge of watchers.get(user_id) ?? []) judge();
  };
  const look = async (): Promise<boolean> => {
    if (watchers.size === 0) {
      seen = newestEntry(db);
      return false;
    }
    // Commands act for nobody: each of their audit entries names the account alone.
    const entries = await entriesAfter(db.read, { after: seen });
    seen = entries.at(-1)?.id ?? seen;
    for (const user_id of new Set(entries.map((it) => it.user_id))) if (user_id) tell(user_id);
    return entries.length === MAX_ENTRIES;
  };
  return {
    note: (tx, user_id) => tx.afterCommit(() => tell(user_id)),
    watch: (user_id, judge) => {
      const own = watchers.get(user_id) ?? new Set();
      watchers.set(user_id, own.add(judge));
      return () => {
        if (own.delete(judge) && own.size === 0) watchers.delete(user_id);
      };
    },
    job: { name: 'access changes', everyMs: LOOK_MS, run: look },
  };
}

function newestEntry({ read }: Db): number {
  const newest = read.orm.select({ id: max(auditLog.id) }).from(auditLog);
  return newest.get()?.id ?? 0;
}
