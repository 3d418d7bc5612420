import type { Tx } from '../core/writer.ts';

export interface AccessChanges {
  /**
   * Notes that sessions or tokens of an account ended, or that its role or state changed. Once
   * `tx` is committed, whoever watches the account is told.
   */
  note(tx: Tx, user_id: number): void;
  /** Calls `judge` at each such change of an account, until the returned function is called. */
  watch(user_id: number, judge: () => void): () => void;
}

/** Tells responses that last, such as event streams, to ask at once whether they still may. */
export function createAccessChanges(): AccessChanges {
  const watchers = new Map<number, Set<() => void>>();
  return {
    note: (tx, user_id) =>
      tx.afterCommit(() => {
        for (const judge of watchers.get(user_id) ?? []) judge();
      }),
    watch: (user_id, judge) => {
      const own = watchers.get(user_id) ?? new Set();
      watchers.set(user_id, own.add(judge));
      return () => {
        if (own.delete(judge) && own.size === 0) watchers.delete(user_id);
      };
    },
  };
}
