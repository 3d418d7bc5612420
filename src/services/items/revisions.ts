import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Cursors } from '../../core/security/cursors.ts';
import type { Page } from '../../utils/page.ts';
import type { OnWritten } from '../idempotency.ts';
import { getOwners } from './access.ts';
import type { ChangeOptions, ItemChanges } from './changes.ts';
import { listRevisions, type RevisionInfo, type RevisionsQuery } from './revision-list.ts';
import { columnsAt, isVersionKept } from './revision-rows.ts';
import type { Item } from './rows.ts';
import type { ItemViews } from './views.ts';

export interface ItemRevisionsDeps {
  db: Db;
  cursors: Cursors;
  views: ItemViews;
  changes: ItemChanges;
}

export const createItemRevisions = ({ db, cursors, views, changes }: ItemRevisionsDeps) => ({
  /**
   * A page of what was done to an own item, in the bin too. The newest comes first. Throws not_found, forbidden, invalid_cursor.
   */
  list: async (
    actor: Actor,
    id: number,
    query: RevisionsQuery = {},
  ): Promise<{ data: RevisionInfo[]; page: Page }> =>
    listRevisions({ session: db.read, cursors }, await getOwners(db.read, actor, id), query),

  /**
   * Makes of an item again what it was at a version, as a new change; nothing if it is that
   * already. The bin is left alone. Throws not_found, forbidden, version_mismatch.
   */
  revert: async (
    actor: Actor,
    id: number,
    version: number,
    options: ChangeOptions = {},
    onWritten?: OnWritten<Item>,
  ): Promise<Item> => {
    const { version: seen } = await getOwners(db.read, actor, id);
    const isKnown = version === seen || (await isVersionKept(db.read, id, version));
    if (!isKnown) throw new AppError('not_found', `Item ${id} has no version ${version}`);
    // The long way back is read before the writer is held up, and in it what came meanwhile.
    const columns = await columnsAt(db.read, id, version, seen);
    return db.write(async (tx) => {
      const { version: latest } = await getOwners(tx, actor, id);
      const later = await columnsAt(tx, id, seen, latest);
      const item = await changes.revert(tx, actor, id, { ...later, ...columns }, options);
      await onWritten?.(tx, item);
      views.addPendingAfter(tx, item);
      return item;
    });
  },
});
