import type { Mark } from './progress.ts';

/** Rows and bytes of one transaction: bounds how long other writers wait. */
const CHUNK = 200;
const CHUNK_BYTES = 1_048_576;

/** A row to create, and the progress of the import at its line. */
export interface NewRow {
  values: Readonly<Record<string, unknown>>;
  mark: Mark | undefined;
}

/** The rows of the next transaction. */
export function createChunk() {
  let rows: NewRow[] = [];
  let bytes = 0;
  return {
    get rows() {
      return rows;
    },
    add: (row: NewRow, size: number) => {
      rows.push(row);
      bytes += size;
    },
    isFull: () => rows.length >= CHUNK || bytes >= CHUNK_BYTES,
    clear: () => {
      rows = [];
      bytes = 0;
    },
  };
}
