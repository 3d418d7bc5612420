import { type CsvError, type InfoRecord, parse } from 'csv-parse';
import { inPieces } from '../async/event-loop.ts';

/** A row of CSV, or why there is none: then it is the last one. `line` is where it ends. */
export type CsvRow =
  | { line: number; cells: Uint8Array[] }
  | { line: number; cells?: never; problem: string };

/** Bytes parsed at a time: each can be a cell. */
const PIECE_BYTES = 4096;
/** Commas of a row: each can be a cell, which takes some 100 bytes. */
const MAX_COMMAS = 65_536;
const COMMA = 0x2c;

/**
 * Reads CSV of RFC 4180 in UTF-8, from a stream, in bounded memory and at the pace of the event
 * loop. What breaks its rules ends it: where the next row begins is a guess then.
 */
export async function* csvRows(
  source: AsyncIterable<Uint8Array>,
  maxRowBytes: number,
): AsyncGenerator<CsvRow> {
  const state: State = { fedBytes: 0, commas: 0, doneBytes: 0, doneLine: 0 };
  const parser = createParser(state);
  for await (const piece of inPieces(source, PIECE_BYTES)) {
    refuseLongRow(state, piece, maxRowBytes);
    if (state.broken) break;
    parser.write(piece);
    for (let row = parser.read(); row !== null; row = parser.read()) {
      if (isBefore(row, state.broken)) yield rowOf(row);
    }
    if (state.broken) break;
  }
  parser.end();
  for await (const row of parser) if (isBefore(row, state.broken)) yield rowOf(row);
  if (state.broken) yield state.broken;
}

function createParser(state: State) {
  const parser = parse({
    // Cells as bytes: as text, what is no UTF-8 would be replaced without a word.
    encoding: false,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n'],
    // Else an error would take the rows with it that were parsed before it.
    skip_records_with_error: true,
    on_skip: (error) => breakOff(state, error?.['lines'], messageOf(error)),
    on_record: (record, { bytes, lines }) => {
      state.doneBytes = bytes;
      state.doneLine = lines;
      return record;
    },
  });
  return parser.on('error', () => {});
}

interface Parsed {
  record: Uint8Array[];
  info: InfoRecord;
}

interface State {
  fedBytes: number;
  /** Those of the row that is not yet complete, at most a piece more. */
  commas: number;
  doneBytes: number;
  doneLine: number;
  broken?: { line: number; problem: string };
}

function rowOf({ record, info }: Parsed): CsvRow {
  return { line: info.lines, cells: record };
}

function isBefore({ info }: Parsed, broken: State['broken']): boolean {
  return !broken || info.lines < broken.line;
}

/** Breaks off before a row takes too much memory: its cells are kept until it ends. */
function refuseLongRow(state: State, piece: Uint8Array, maxRowBytes: number): void {
  const isNewRow = state.doneBytes >= state.fedBytes - PIECE_BYTES;
  state.commas = (isNewRow ? 0 : state.commas) + commasIn(piece);
  state.fedBytes += piece.byteLength;
  if (state.fedBytes - state.doneBytes > maxRowBytes + PIECE_BYTES) {
    breakOff(state, state.doneLine + 1, 'The row is too long, or a quote is not closed');
  } else if (state.commas > MAX_COMMAS) {
    breakOff(state, state.doneLine + 1, 'The row has too many cells');
  }
}

function commasIn(piece: Uint8Array): number {
  let count = 0;
  for (const byte of piece) if (byte === COMMA) count++;
  return count;
}

function breakOff(state: State, line: unknown, problem: string): undefined {
  state.broken ??= { line: Number(line), problem: `${problem}; what follows was not read` };
}

const MESSAGES: Record<string, string> = {
  INVALID_OPENING_QUOTE: 'A quote inside a cell that does not begin with one',
  CSV_INVALID_CLOSING_QUOTE: 'Something follows a closing quote',
  CSV_QUOTE_NOT_CLOSED: 'A quote is not closed',
};

function messageOf(error: CsvError | undefined): string {
  return MESSAGES[error?.code ?? ''] ?? 'This is not CSV';
}

/** One row, with its end. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Begins a formula, in ASCII or in the wide and small forms that some spreadsheets take for it. */
const FORMULA = '[=+\\-@＝＋－＠﹦﹢﹣﹫−]';
/** What a spreadsheet skips at the start of a cell, and the apostrophe of an earlier guard. */
const SKIPPED = '[\\p{Zs}\\p{Cf}\\u2028\\u2029\\v\\f"\']*';
/** What ends a cell for a program that expects another separator than the comma. */
const SEPARATOR = '[;|\\t\\r\\n]';

const FIRST = `(?='*[\\t\\r\\n]|${SKIPPED}${FORMULA})`;
const INNER = `(?=${SKIPPED}${FORMULA})`;
const UNGUARDED_FIRST = new RegExp(`^${FIRST}`, 'u');
const GUARDED_FIRST = new RegExp(`^'${FIRST}`, 'u');
const UNGUARDED_INNER = new RegExp(`(${SEPARATOR})${INNER}`, 'gu');
const GUARDED_INNER = new RegExp(`(${SEPARATOR})'${INNER}`, 'gu');

/**
 * Puts an apostrophe before whatever a spreadsheet could run as a formula (OWASP, CSV Injection): at
 * the start of a cell, and after each separator in it, where a program that splits at semicolons
 * begins a cell. `unguarded` gives the cell back.
 */
export function guarded(cell: string): string {
  return cell.replace(UNGUARDED_INNER, "$1'").replace(UNGUARDED_FIRST, "'");
}

export function unguarded(cell: string): string {
  return cell.replace(GUARDED_FIRST, '').replace(GUARDED_INNER, '$1');
}
