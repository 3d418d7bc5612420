import type { AnyActor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import type { Tx } from '../../core/db/writer.ts';
import { AppError, type ErrorCode, type FieldProblem } from '../../core/exceptions.ts';
import type { Definition, Row } from '../../resources/declare/definition.ts';
import { createPace } from '../../utils/async/event-loop.ts';
import type { OnWritten } from '../idempotency.ts';
import type { RowChanges } from './changes.ts';
import type { Values } from './values.ts';

export interface BatchDeps {
  db: Db;
  changes: RowChanges;
}

/** One change of a batch; `if_match` is the version that the caller knows. */
export type BatchOperation =
  | { op: 'create'; values: Values }
  | { op: 'update'; id: number; values: Values; if_match?: number }
  | { op: 'delete'; id: number; if_match?: number };

/** The row of an operation, and its new version. */
export interface BatchResult {
  op: BatchOperation['op'];
  id: number;
  version: number;
}

/** Applies many changes of a resource in one transaction, all or none. */
export const createBatch = ({ one }: Definition, { db, changes }: BatchDeps) => ({
  /**
   * Applies `operations` in order; each sees the changes of those before it. Changes nothing and
   * throws batch_failed with the problems of every failed operation at its position, or
   * quota_exceeded for the first operation over a quota.
   */
  run: (
    actor: AnyActor,
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
          fields.push(...problemsAt(one, position, error));
        }
        // Readers use another connection and do not see the transaction; writers queue.
        await pace();
      }
      if (fields.length > 0) throw batchFailed(fields);
      await onWritten?.(tx, results);
      return results;
    }),
});

function apply(
  changes: RowChanges,
  tx: Tx,
  actor: AnyActor,
  operation: BatchOperation,
): Promise<Row> {
  if (operation.op === 'create') return changes.create(tx, actor, operation.values);
  const { id, if_match } = operation;
  const options = if_match === undefined ? {} : { ifMatch: [if_match] };
  return operation.op === 'update'
    ? changes.update(tx, actor, id, operation.values, options)
    : changes.remove(tx, actor, id, options);
}

/** Errors that are not the fault of a single operation: nothing more can be stored. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['quota_exceeded', 'storage_full', 'inactive_user']);

/** The problems of a failed operation, which throws before it writes. */
function problemsAt(one: string, position: number, error: unknown): FieldProblem[] {
  if (!(error instanceof AppError) || FATAL.has(error.code)) throw error;
  const at = ['operations', position];
  if (error.fields.length === 0) return [{ type: error.code, path: at, msg: error.message }];
  return error.fields.map((it) => ({ ...it, path: [...at, one, ...it.path] }));
}

function batchFailed(fields: FieldProblem[]): AppError {
  return new AppError('batch_failed', 'No operation was applied: see errors', { fields });
}
