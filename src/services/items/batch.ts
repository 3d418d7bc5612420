import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, type ErrorCode, type FieldProblem } from '../../core/exceptions.ts';
import { createPace } from '../../utils/async/event-loop.ts';
import type { OnWritten } from '../idempotency.ts';
import type { ItemChanges } from './changes.ts';
import type { Item, ItemFields } from './rows.ts';

export interface ItemBatchDeps {
  db: Db;
  changes: ItemChanges;
}

/** One change of a batch; `if_match` is the version that the caller knows. */
export type BatchOperation =
  | { op: 'create'; item: ItemFields }
  | { op: 'update'; id: number; item: Partial<ItemFields>; if_match?: number }
  | { op: 'delete'; id: number; if_match?: number };

/** What an operation made of its item. */
export interface BatchResult {
  op: BatchOperation['op'];
  id: number;
  version: number;
}

/** Many changes that hold together or not at all. */
export const createItemBatch = ({ db, changes }: ItemBatchDeps) => ({
  /**
   * Does `operations` in order, each on what those before it made. Throws batch_failed with
   * everything that fails, each problem at its position, and quota_exceeded for the first
   * operation that goes over a quota; nothing is changed then.
   */
  run: (
    actor: Actor,
    operations: readonly BatchOperation[],
    onWritten?: OnWritten<BatchResult[]>,
  ): Promise<BatchResult[]> =>
    db.write(async (tx) => {
      const results: BatchResult[] = [];
      const fields: FieldProblem[] = [];
      const pace = createPace();
      for (const [position, operation] of operations.entries()) {
        try {
          const { id, version } = await apply(changes, tx, actor, operation);
          results.push({ op: operation.op, id, version });
        } catch (error) {
          fields.push(...problemsAt(position, error));
        }
        // Readers have a connection of their own and see nothing of this; writers wait in line.
        await pace();
      }
      if (fields.length > 0) throw batchFailed(fields);
      await onWritten?.(tx, results);
      return results;
    }),
});

function apply(
  changes: ItemChanges,
  tx: Tx,
  actor: Actor,
  operation: BatchOperation,
): Promise<Item> {
  if (operation.op === 'create') return changes.create(tx, actor, operation.item);
  const { id, if_match } = operation;
  const options = if_match === undefined ? {} : { ifMatch: [if_match] };
  return operation.op === 'update'
    ? changes.update(tx, actor, id, operation.item, options)
    : changes.remove(tx, actor, id, options);
}

/** Why nothing more can be stored: that is no fault of one operation. */
const OF_ALL: ReadonlySet<ErrorCode> = new Set(['quota_exceeded', 'storage_full', 'inactive_user']);

/** Why an operation was refused. It has changed nothing: what is refused is so before a write. */
function problemsAt(position: number, error: unknown): FieldProblem[] {
  if (!(error instanceof AppError) || OF_ALL.has(error.code)) throw error;
  const at = ['operations', position];
  if (error.fields.length === 0) return [{ type: error.code, path: at, msg: error.message }];
  return error.fields.map((it) => ({ ...it, path: [...at, 'item', ...it.path] }));
}

function batchFailed(fields: FieldProblem[]): AppError {
  return new AppError('batch_failed', 'Nothing was done: see errors', { fields });
}
