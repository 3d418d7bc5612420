import type { Actor } from '../../core/actor.ts';
import type { Db } from '../../core/db/db.ts';
import { AppError, type Problem } from '../../core/exceptions.ts';
import { createPace } from '../../utils/async/event-loop.ts';
import type { RowChanges } from '../resources/changes.ts';
import { type ItemFormat, itemLines, type LineFailure } from './lines.ts';
import type { ItemFields } from './rows.ts';

/** Items and bytes of one transaction: bounds how long other writers wait. */
const CHUNK = 200;
const CHUNK_BYTES = 1_048_576;
/** Failures that are listed; the others are only counted. */
const MAX_LISTED = 1000;

export interface ItemImportDeps {
  db: Db;
  changes: Pick<RowChanges, 'create'>;
}

/** The result of an import, final or so far. */
export interface ImportReport {
  created: number;
  failed: number;
  dry_run: boolean;
  errors: LineFailure[];
}

export interface ImportOptions {
  format: ItemFormat;
  isDryRun: boolean;
  /** Returns the item of a line with defaults filled in, or its problems. */
  read(value: unknown): ItemFields | Problem[];
  /** Once aborted, nothing more is written: the last line may be incomplete. */
  signal?: AbortSignal;
  /** Called after each transaction. */
  onProgress?: (report: ImportReport) => void;
}

/** Imports items from JSON Lines or CSV. */
export const createItemImport = (deps: ItemImportDeps) => ({
  /**
   * Creates an item from each valid line of `source`, in several transactions: an import that ends
   * early does not remove the items it has created. A dry run creates none; it reports what it
   * would create, quotas aside. Throws the errors of `source`, validation_failed for wrong CSV
   * columns, and quota_exceeded or storage_full at the first item that does not fit.
   */
  run: async (
    actor: Actor,
    source: AsyncIterable<Uint8Array>,
    { format, isDryRun, read, signal, onProgress }: ImportOptions,
  ): Promise<ImportReport> => {
    const report: ImportReport = { created: 0, failed: 0, dry_run: isDryRun, errors: [] };
    const chunk = createChunk();
    const finish = async () => {
      if (signal?.aborted) return;
      const written = isDryRun
        ? { created: chunk.items.length }
        : await writeAll(deps, actor, chunk.items);
      report.created += written.created;
      chunk.clear();
      onProgress?.(report);
      if (written.refusal) throw stoppedBy(written.refusal, report.created);
    };
    const pace = createPace();
    for await (const line of itemLines(format, source)) {
      const fields = 'code' in line ? line : validated(line.line, read(line.value));
      if ('code' in fields) addFailure(report, fields);
      else chunk.add(fields, 'bytes' in line ? line.bytes : 0);
      if (chunk.isFull()) await finish();
      if (signal?.aborted) break;
      await pace();
    }
    await finish();
    return report;
  },
});

function createChunk() {
  let items: ItemFields[] = [];
  let bytes = 0;
  return {
    get items() {
      return items;
    },
    add: (fields: ItemFields, size: number) => {
      items.push(fields);
      bytes += size;
    },
    isFull: () => items.length >= CHUNK || bytes >= CHUNK_BYTES,
    clear: () => {
      items = [];
      bytes = 0;
    },
  };
}

function validated(line: number, read: ItemFields | Problem[]): ItemFields | LineFailure {
  if (!Array.isArray(read)) return read;
  const message = read.map(({ loc, msg }) =>
    [...(loc.length > 0 ? [loc.join('.')] : []), msg].join(': '),
  );
  return { line, code: read[0]?.type ?? 'value_error', message: message.join('; ') };
}

function addFailure(report: ImportReport, { line, code, message }: LineFailure): void {
  report.failed++;
  if (report.errors.length < MAX_LISTED) {
    report.errors.push({ line, code, message: message.slice(0, 500) });
  }
}

/** The number of items created from a chunk, and the error that stopped it. */
interface Written {
  created: number;
  refusal?: AppError;
}

async function writeAll(
  { db, changes }: ItemImportDeps,
  actor: Actor,
  all: ItemFields[],
): Promise<Written> {
  if (all.length === 0) return { created: 0 };
  return db.write(async (tx) => {
    const pace = createPace();
    for (const [created, fields] of all.entries()) {
      try {
        await changes.create(tx, actor, fields);
      } catch (error) {
        // Thrown before the item was written: commit the items before it.
        if (error instanceof AppError) return { created, refusal: error };
        throw error;
      }
      await pace();
    }
    return { created: all.length };
  });
}

function stoppedBy({ code, message, quota }: AppError, created: number): AppError {
  const text = `${message}; items created before: ${created}`;
  return new AppError(code, text, quota ? { quota } : {});
}
