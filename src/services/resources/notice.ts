import type { Cache } from '../../core/cache.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import type { RowAccess } from './access.ts';
import type { RowEffect } from './effects.ts';
import { popularTag, rowsTag } from './views/popular.ts';

export interface NoticeDeps {
  cache: Cache;
  access: Pick<RowAccess, 'isListed'>;
  /** Wakes the listeners of events. Must not throw. */
  publish: (() => void) | undefined;
}

/** Notifies listeners of a change after its commit, and drops cached responses that contain the row. */
export function createNotice(def: Definition, { cache, access, publish }: NoticeDeps): RowEffect {
  const { isListed } = access;
  const tag = rowsTag(def);
  const popular = popularTag(def);
  const invalidate = () => {
    publish?.();
    cache.invalidate(tag);
  };
  const invalidateAll = () => {
    invalidate();
    cache.invalidate(popular);
  };
  const isListedRow = (row: Row | undefined) => row !== undefined && isListed(row);
  return (tx, { old, row }) => {
    // Hidden rows must not drop public responses from the cache: the miss would reveal the change.
    if (!isListedRow(old) && !isListedRow(row)) {
      // No one else waits for events of a resource whose rows are all hidden.
      if (publish && def.read === 'owner') tx.afterCommit(publish);
      return;
    }
    const views = (row ?? old)?.['views'];
    // The views of an erased row are unknown.
    tx.afterCommit(def.hasViews && views !== 0 ? invalidateAll : invalidate);
  };
}
