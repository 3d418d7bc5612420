import type { Tx } from '../../core/db/writer.ts';
import type { Row } from '../../resources/declare/definition.ts';
import type { Columns } from './values.ts';

/** A change of a row: `old` is undefined for a new row, `row` for an erased one. */
export interface RowChange {
  old: Row | undefined;
  row: Row | undefined;
  /** The columns that an update changed. */
  set?: Columns;
  /** True if the owner was deleted, so that nobody is left to hear of a private row. */
  isOwnerGone?: boolean;
}

/** Writes what follows from a change, in its transaction. */
export type RowEffect = (tx: Tx, change: RowChange) => Promise<void> | void;

/** Completes a row that a transaction has changed, before it is returned. */
export type AfterWrite = (tx: Tx, row: Row) => void;
