import type { AnyActor } from '../../core/actor.ts';
import type { Tx } from '../../core/db/writer.ts';
import type { Row } from '../../resources/declare/definition.ts';
import { type Quotas, textBytes } from '../quotas.ts';
import type { Columns } from './values.ts';

/** The limits that a change of a row must respect. */
export interface RowQuota {
  /** Throws quota_exceeded, storage_full. */
  admitNew(tx: Tx, actor: AnyActor, row: Row): Promise<void> | void;
  /** `before` is the stored text of the previous values. Throws quota_exceeded, storage_full. */
  admitChange(
    tx: Tx,
    actor: AnyActor,
    row: Row,
    change: { set: Columns; old: Columns; before: string },
  ): Promise<void> | void;
}

/** Refuses changes only while the disk is nearly full. */
export const spaceOnly = ({ requireSpace }: Quotas): RowQuota => ({
  admitNew: (_, actor) => requireSpace(actor),
  admitChange: (_, actor) => requireSpace(actor),
});

/** Counts rows and their bytes towards the quotas of their owner, as triggers of the table do. */
export const countedItems = ({ admit }: Quotas): RowQuota => ({
  admitNew: (tx, actor, row) => admit(tx, actor, row.owner_id, { items: 1, bytes: textBytes(row) }),
  admitChange: (tx, actor, row, { set, old, before }) => {
    const bytes = textBytes(set) - textBytes(old) + Buffer.byteLength(before);
    return admit(tx, actor, row.owner_id, { bytes });
  },
});
