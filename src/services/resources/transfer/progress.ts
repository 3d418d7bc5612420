import type { Tx } from '../../../core/db/writer.ts';
import { mismatch, type OnWritten, type StoredResponse } from '../../idempotency.ts';
import type { RowLine } from './lines.ts';
import type { ImportReport } from './report.ts';

/** A position in an import: the last line that was read, and a hash of all lines up to it. */
export interface Mark {
  line: number;
  hash: string;
}

/** The stored state of an import: its position, the rows created so far and, at its end, the report. */
interface Stored extends Mark {
  created: number;
  report?: ImportReport;
}

export type Progress = ReturnType<typeof createProgress>;

/** The status of a response that is not complete. */
const INCOMPLETE = 0;

/**
 * Follows the lines of an import whose progress is stored with its rows. The hash of the lines is a
 * chain, so it can be compared at every line. It covers what a line means, not its bytes: spaces
 * between lines or in JSON do not matter, as in the bodies of other requests with a key.
 */
export function createProgress(
  response: StoredResponse | undefined,
  save: OnWritten<StoredResponse>,
) {
  const earlier = response && (JSON.parse(response.body) as Stored);
  let at: Mark = { line: 0, hash: '' };
  /** Throws idempotency_mismatch if the lines up to here differ from those that are stored. */
  const compare = () => {
    if (earlier && at.hash !== earlier.hash) throw mismatch();
  };
  const store = (tx: Tx, stored: Stored) =>
    save(tx, {
      status: stored.report ? 200 : INCOMPLETE,
      location: null,
      body: JSON.stringify(stored),
    });
  return {
    /** The rows that earlier attempts created. */
    created: earlier?.created ?? 0,

    /** The position after the last line. */
    mark: (): Mark => at,

    /** Reads a line. Returns true if an earlier attempt has processed it. Throws idempotency_mismatch. */
    follow: (line: RowLine): boolean => {
      const isStored = earlier !== undefined && line.line <= earlier.line;
      if (earlier && !isStored && at.line <= earlier.line) compareAtEnd(earlier, compare);
      at = { line: line.line, hash: next(at.hash, line) };
      return isStored;
    },

    /**
     * Returns the report of an earlier attempt that was complete. Throws idempotency_mismatch if it
     * has stored other or more lines.
     */
    end: (): ImportReport | undefined => {
      if (earlier && at.line <= earlier.line) compare();
      return earlier?.report;
    },

    /** Stores the position, or an earlier one, with the number of rows created up to it. */
    store: (tx: Tx, created: number, { line, hash }: Mark = at) =>
      store(tx, { line, hash, created }),

    /** Stores the report. */
    complete: (tx: Tx, report: ImportReport) =>
      store(tx, { ...at, created: report.created, report }),
  };
}

/** A complete import has no further lines. */
function compareAtEnd({ report }: Stored, compare: () => void): void {
  if (report) throw mismatch();
  compare();
}

function next(hash: string, line: RowLine): string {
  const meaning =
    'code' in line ? [line.line, line.code, line.message] : [line.line, line.value ?? null];
  return Bun.SHA256.hash(`${hash}${JSON.stringify(meaning)}`, 'hex');
}
