import { type CsvError, type InfoRecord, parse } from 'csv-parse';
import { inPieces } from '../async/event-loop.ts';

/** A row of CSV, or the problem that ends the reading. `line` is the last line of the row. */
export type CsvRow =
  | { line: number; cells: Uint8Array[] }
  | { line: number; cells?: never; problem: string };

/** Bytes parsed at a time; each byte can be a cell. */
const PIECE_BYTES = 4096;
/** Maximum commas of a row; each can be a cell, which takes about 100 bytes. */
const MAX_COMMAS = 65_536;
const COMMA = 0x2c;

/**
 * Reads RFC 4180 CSV in UTF-8 from a stream, in bounded memory, and yields to the event loop. A row
 * that breaks the rules ends the reading, because the start of the next row would be a guess.
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
    // Cells as bytes: decoding to text would silently replace invalid UTF-8.
    encoding: false,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n'],
    // Otherwise an error would drop the rows that were parsed before it.
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
  /** Commas of the incomplete row, at most one piece too many. */
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

/** Stops before an incomplete row, whose cells are held in memory, becomes too large. */
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
  state.broken ??= { line: Number(line), problem: `${problem}; the rest was not read` };
}

const MESSAGES: Record<string, string> = {
  INVALID_OPENING_QUOTE: 'A quote inside an unquoted cell',
  CSV_INVALID_CLOSING_QUOTE: 'Text after a closing quote',
  CSV_QUOTE_NOT_CLOSED: 'A quote is not closed',
};

function messageOf(error: CsvError | undefined): string {
  return MESSAGES[error?.code ?? ''] ?? 'This is not CSV';
}

/** Returns one row with its line terminator. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Starts a formula, in ASCII or in the wide and small forms that some spreadsheets accept. */
const FORMULA = '[=+\\-@＝＋－＠﹦﹢﹣﹫−]';
/** Characters that a spreadsheet skips at the start of a cell, and the apostrophe of an earlier guard. */
const SKIPPED = '[\\p{Zs}\\p{Cf}\\u2028\\u2029\\v\\f"\']*';
/** Ends a cell for programs that expect a separator other than the comma. */
const SEPARATOR = '[;|\\t\\r\\n]';

const FIRST = `(?='*[\\t\\r\\n]|${SKIPPED}${FORMULA})`;
const INNER = `(?=${SKIPPED}${FORMULA})`;
const UNGUARDED_FIRST = new RegExp(`^${FIRST}`, 'u');
const GUARDED_FIRST = new RegExp(`^'${FIRST}`, 'u');
const UNGUARDED_INNER = new RegExp(`(${SEPARATOR})${INNER}`, 'gu');
const GUARDED_INNER = new RegExp(`(${SEPARATOR})'${INNER}`, 'gu');

/**
 * Inserts an apostrophe before anything that a spreadsheet could run as a formula (OWASP, CSV
 * Injection): at the start of a cell and after each separator in it, because some programs split at
 * semicolons. `unguarded` restores the cell.
 */
export function guarded(cell: string): string {
  return cell.replace(UNGUARDED_INNER, "$1'").replace(UNGUARDED_FIRST, "'");
}

export function unguarded(cell: string): string {
  return cell.replace(GUARDED_FIRST, '').replace(GUARDED_INNER, '$1');
}
