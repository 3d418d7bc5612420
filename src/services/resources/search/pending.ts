import type { Db } from '../../../core/db/db.ts';
import {
  endPending,
  type FullText,
  type FullTextTables,
  fullTextTables,
  pendingRows,
  removal,
  replacement,
  somePending,
} from '../../../core/db/full-text.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Tx } from '../../../core/db/writer.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import { type Job, MAX_RUN_MS } from '../../../core/jobs/recurring.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { indexedWords } from '../../../utils/text/words.ts';
import { timeBudget } from '../../../utils/time/time-budget.ts';

/** The full-text index of a resource's listed rows. Changed rows wait to be indexed. */
export interface SearchIndex {
  /**
   * Indexes the rows that wait, before a search answers; a bounded number of them. Returns false if
   * more are left: the search would not be exact. Throws like a write.
   */
  catchUp(pace: Pace): Promise<boolean>;
  /** A recurring job: indexes the rows that wait. */
  job: Job;
}

const EVERY_MS = 5_000;
/** Rows of one transaction: 2 to 3 ms, if their texts are short. */
const BATCH = 200;
/** Rows of one read: at most half a megabyte of text. */
const ROWS = 20;
/** Transactions that a search waits for. */
const MAX_BATCHES = 10;

/** The index of a resource; undefined if it has no search, or only rows that one account sees. */
export function fullTextOf(
  def: Pick<Definition, 'name' | 'search' | 'read' | 'hasVisibility' | 'hasBin'>,
): FullText | undefined {
  if (def.search.length === 0 || def.read === 'owner') return undefined;
  const listed = [
    ...(def.hasVisibility ? [{ column: 'visibility', is: `= 'public'` }] : []),
    ...(def.hasBin ? [{ column: 'deleted_at', is: 'is null' }] : []),
  ];
  return { table: def.name, columns: def.search, listed };
}

/** The tables of a resource's search beside the tables of its definition, and how to create them. */
export function searchTables(def: Parameters<typeof fullTextOf>[0]): FullTextTables {
  const index = fullTextOf(def);
  return index ? fullTextTables(index) : { names: [], statements: [] };
}

export function createSearchIndex(def: Definition, { db }: { db: Db }): SearchIndex | undefined {
  const index = fullTextOf(def);
  if (!index) return undefined;
  const isDone = async () => (await rowsOf(db.read, somePending(index))).length === 0;
  let running: Promise<boolean> | undefined;
  /** Searches at the same time share a transaction. */
  const runShared = () => {
    running ??= db
      .write((tx) => indexSome(tx, index))
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  return {
    catchUp: async (pace) => {
      for (let left = MAX_BATCHES; !(await isDone()); left--) {
        if (left === 0) return false;
        await runShared();
        await pace();
      }
      return true;
    },
    job: {
      name: `search index of ${def.name}`,
      everyMs: EVERY_MS,
      run: async () => !(await isDone()) && runShared(),
    },
  };
}

/** Returns true when more is left. */
async function indexSome(tx: Tx, index: FullText): Promise<boolean> {
  const hasTime = timeBudget(MAX_RUN_MS);
  for (let left = BATCH; left > 0 && hasTime(); left -= ROWS) {
    const rows = await rowsOf<PendingRow>(tx, pendingRows(index, ROWS));
    for (const row of rows) {
      const { id, is_listed } = row;
      const entry = is_listed ? replacement(index, id, textsOf(index, row)) : removal(index, id);
      await rowsOf(tx, entry);
    }
    const last = rows.at(-1);
    if (last) await rowsOf(tx, endPending(index, last.id));
    if (rows.length < ROWS) return false;
  }
  return true;
}

type PendingRow = { id: number; is_listed: number } & Record<string, string | null>;

/** Texts that SQLite would split into other words than Hutch are replaced. */
function textsOf({ columns }: FullText, row: PendingRow): (string | null)[] {
  return columns.map((name) => {
    const text = row[name] ?? null;
    return text === null ? null : (indexedWords(text) ?? text);
  });
}
