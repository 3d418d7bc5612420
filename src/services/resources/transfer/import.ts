import type { Actor } from '../../../core/actor.ts';
import type { Db } from '../../../core/db/db.ts';
import type { Tx } from '../../../core/db/writer.ts';
import { AppError, type Problem } from '../../../core/exceptions.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { createPace } from '../../../utils/async/event-loop.ts';
import type { Idempotency, KeyedRequest } from '../../idempotency.ts';
import { createChunk, type NewRow } from './chunk.ts';
import { type LineFormat, rowLines } from './lines.ts';
import { createProgress, type Progress } from './progress.ts';
import { addFailure, type ImportReport, validated } from './report.ts';

type Values = Readonly<Record<string, unknown>>;

export interface RowImportDeps {
  db: Db;
  idempotency: Idempotency;
  definition: Pick<Definition, 'fields' | 'name'>;
  /** Creates a row in a transaction. It throws an AppError only before it writes. */
  create(tx: Tx, actor: Actor, values: Values): Promise<unknown>;
}

export interface ImportOptions {
  format: LineFormat;
  isDryRun: boolean;
  /** Returns the values of a line, or its problems. */
  read(value: unknown): Values | Problem[];
  /** Once aborted, nothing more is written: the last line may be incomplete. */
  signal?: AbortSignal;
  /** Called after each transaction. */
  onProgress?: (report: ImportReport) => void;
  /** Makes the import resumable; not for a dry run. */
  keyed?: KeyedRequest | undefined;
}

export interface ImportResult {
  report: ImportReport;
  /** True if the report is that of an earlier import with the same key. */
  isReplayed: boolean;
}

/** Imports rows from JSON Lines or CSV. */
export const createRowImport = (deps: RowImportDeps) => ({
  /**
   * Creates a row from each valid line of `source`, in several transactions: an import that ends
   * early does not remove the rows it has created. A dry run creates none; it reports what it
   * would create, quotas aside. With a key, an import continues after the lines that an earlier one
   * with the key has stored, and returns the report of a complete one. Throws the errors of `source`,
   * validation_failed for wrong CSV columns, quota_exceeded or storage_full at the first row that
   * does not fit, idempotency_mismatch if the stored lines differ, and idempotency_running.
   */
  run: (
    actor: Actor,
    source: AsyncIterable<Uint8Array>,
    options: ImportOptions,
  ): Promise<ImportResult> => {
    const { keyed } = options;
    if (!keyed) return runImport(deps, actor, source, options, undefined);
    return deps.idempotency.resume(keyed, (stored, store) =>
      runImport(deps, actor, source, options, createProgress(stored, store)),
    );
  },
});

async function runImport(
  deps: RowImportDeps,
  actor: Actor,
  source: AsyncIterable<Uint8Array>,
  { format, isDryRun, read, signal, onProgress }: ImportOptions,
  progress: Progress | undefined,
): Promise<ImportResult> {
  const created = progress?.created ?? 0;
  const report: ImportReport = { created, failed: 0, dry_run: isDryRun, errors: [] };
  const chunk = createChunk();
  const finish = async (isLast: boolean) => {
    if (signal?.aborted) return;
    const written = isDryRun
      ? { created: chunk.rows.length }
      : await writeAll(deps, actor, chunk.rows, { report, progress, isLast });
    report.created += written.created;
    chunk.clear();
    onProgress?.(report);
    if (written.refusal) throw stoppedBy(deps.definition, written.refusal, report.created);
  };
  const pace = createPace();
  for await (const line of rowLines(deps.definition.fields, format, source)) {
    const isStored = progress?.follow(line) ?? false;
    const checked = 'code' in line ? { failure: line } : validated(line.line, read(line.value));
    if ('failure' in checked) addFailure(report, checked.failure);
    else if (!isStored) {
      chunk.add({ ...checked, mark: progress?.mark() }, 'bytes' in line ? line.bytes : 0);
    }
    if (chunk.isFull()) await finish(false);
    if (signal?.aborted) break;
    await pace();
  }
  const earlier = signal?.aborted ? undefined : progress?.end();
  if (earlier) return { report: earlier, isReplayed: true };
  await finish(true);
  return { report, isReplayed: false };
}

/** The number of rows created from a chunk, and the error that stopped it. */
interface Written {
  created: number;
  refusal?: AppError;
}

interface Writing {
  /** The report before this chunk. */
  report: ImportReport;
  progress: Progress | undefined;
  isLast: boolean;
}

/** Creates the rows of a chunk and stores the progress with them, in one transaction. */
async function writeAll(
  { db, create }: RowImportDeps,
  actor: Actor,
  rows: readonly NewRow[],
  { report, progress, isLast }: Writing,
): Promise<Written> {
  if (rows.length === 0 && !(progress && isLast)) return { created: 0 };
  return db.write(async (tx) => {
    const pace = createPace();
    for (const [created, { values }] of rows.entries()) {
      try {
        await create(tx, actor, values);
      } catch (error) {
        // Thrown before the row was written: commit the rows before it.
        if (!(error instanceof AppError)) throw error;
        const last = rows[created - 1];
        if (last) await progress?.store(tx, report.created + created, last.mark);
        return { created, refusal: error };
      }
      await pace();
    }
    const total = report.created + rows.length;
    if (isLast) await progress?.complete(tx, { ...report, created: total });
    else await progress?.store(tx, total);
    return { created: rows.length };
  });
}

function stoppedBy(
  { name }: RowImportDeps['definition'],
  { code, message, quota }: AppError,
  created: number,
): AppError {
  const text = `${message}; ${name.replaceAll('_', ' ')} created before: ${created}`;
  return new AppError(code, text, quota ? { quota } : {});
}
