import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Row } from '../../resources/declare/definition.ts';
import type { OnWritten } from '../idempotency.ts';
import type { RowAccess } from './access.ts';
import type { ChangeOptions, RowChanges } from './changes.ts';
import type { AfterWrite } from './effects.ts';
import { type Erasure, forced } from './erasure.ts';
import type { Values } from './values.ts';
import type { RowViews } from './views/views.ts';

export interface RowServiceDeps<R extends Row> {
  db: Db;
  access: RowAccess<R>;
  changes: RowChanges<R>;
  erasure: Erasure;
  views: RowViews | undefined;
  afterWrite: AfterWrite;
}

export type RowService<R extends Row = Row> = ReturnType<typeof createRowService<R>>;

/** Reads and changes the rows of a resource, one at a time. Rows are as stored. */
export function createRowService<R extends Row>(deps: RowServiceDeps<R>) {
  const { db, access, changes, erasure, views, afterWrite } = deps;
  const write = (work: (tx: Tx) => Promise<R>): Promise<R> =>
    db.write(async (tx) => {
      const row = await work(tx);
      afterWrite(tx, row);
      return row;
    });
  const get = (actor: AnyActor, id: number): Promise<R> => access.getVisible(db.read, actor, id);
  return {
    /** The version of a row, if the caller may read it; reads nothing else. Throws not_found. */
    getVersion: async (actor: AnyActor, id: number): Promise<number> =>
      (await access.ensureVisible(db.read, actor, id)).version,

    /** The row, if the caller may read it. Throws not_found. */
    get: views
      ? (actor: AnyActor, id: number): Promise<R> =>
          views.withPending(() => get(actor, id) as Promise<R & { views: number }>)
      : get,

    /** Creates a row. Throws validation_failed, forbidden, conflict, quota_exceeded, storage_full. */
    create: (actor: AnyActor, values: Values, onWritten?: OnWritten<R>): Promise<R> =>
      db.write(async (tx) => {
        const row = await changes.create(tx, actor, values);
        await onWritten?.(tx, row);
        return row;
      }),

    /** Changes the given fields of a row. Throws not_found, forbidden, version_mismatch. */
    update: (
      actor: AnyActor,
      id: number,
      values: Values,
      options: ChangeOptions = {},
    ): Promise<R> => write((tx) => changes.update(tx, actor, id, values, options)),

    /**
     * Moves a row to the bin or, without a bin, erases it; returns its last state. Throws like
     * `update`, and conflict.
     */
    remove: (actor: AnyActor, id: number, options: ChangeOptions = {}): Promise<R> =>
      write((tx) => changes.remove(tx, actor, id, options)),

    /** Restores a row from the bin. Throws not_found. */
    restore: (actor: AnyActor, id: number, onWritten?: OnWritten<R>): Promise<R> =>
      write(async (tx) => {
        const row = await changes.restore(tx, actor, id);
        await onWritten?.(tx, row);
        return row;
      }),

    /** Deletes a row in the bin for good, in short transactions. Throws not_found. */
    erase: async (actor: AnyActor, id: number): Promise<void> => {
      const eraseSome = async (tx: Tx): Promise<boolean> => {
        const row = await access.getBinned(tx, actor, id);
        if (!access.mayManage(actor, row)) throw access.notFound(id);
        return erasure.eraseSome(tx, id, forced(actor));
      };
      while (!(await db.write(eraseSome)));
    },
  };
}
