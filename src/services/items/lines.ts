import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import { JsonFault, parseJson } from '../../utils/json/parse.ts';
import { byteLines, isBlank, withoutBom } from '../../utils/text/byte-lines.ts';
import { csvRows, unguarded } from '../../utils/text/csv.ts';
import { EDITABLE_FIELDS } from './rows.ts';

export type ItemFormat = 'jsonl' | 'csv';

/** The reason why a line is rejected. */
export interface LineFailure {
  line: number;
  code: string;
  message: string;
}

/** The parsed value of a line, not yet validated, or the reason why it cannot be parsed. */
export type ItemLine = { line: number; bytes: number; value: unknown } | LineFailure;

/** Columns of CSV that are checked; an item has few. */
const MAX_COLUMNS = 100;

const MAX_LINE_BYTES = 1_048_576;

/**
 * Reads items from a stream of bytes, one line in memory at a time; skips empty lines. Throws
 * validation_failed for CSV whose first row has no title or names an unknown column.
 */
export function itemLines(
  format: ItemFormat,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<ItemLine> {
  const bytes = withoutBom(source);
  return format === 'csv' ? fromCsv(bytes) : fromJsonLines(bytes);
}

async function* fromJsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<ItemLine> {
  for await (const { line, bytes } of byteLines(source, MAX_LINE_BYTES)) {
    if (bytes === undefined) {
      yield tooLong(line);
      continue;
    }
    if (isBlank(bytes)) continue;
    const read = parsed(bytes);
    yield 'problem' in read
      ? { line, code: read.code, message: read.problem }
      : { line, bytes: bytes.byteLength, value: read.value };
  }
}

async function* fromCsv(source: AsyncIterable<Uint8Array>): AsyncGenerator<ItemLine> {
  let columns: string[] | undefined;
  for await (const row of csvRows(source, MAX_LINE_BYTES)) {
    const { line } = row;
    if (!row.cells) {
      yield { line, code: 'csv_invalid', message: row.problem };
    } else if (columns) {
      yield lineOf(line, row.cells, columns);
    } else {
      columns = row.cells.slice(0, MAX_COLUMNS).map((cell) => decoded(cell) ?? '');
      refuseBadColumns(columns);
    }
  }
  if (!columns) refuseBadColumns([]);
}

function refuseBadColumns(columns: string[]): void {
  const fields: FieldProblem[] = [];
  const refuse = (type: string, name: string, msg: string) =>
    fields.push({ type, path: [name.slice(0, 100)], msg });
  const separator = foreignSeparator(columns);
  if (separator) {
    refuse(
      'value_error',
      columns.join(','),
      `The columns are separated by ${separator} instead of commas`,
    );
    throw badColumns(fields);
  }
  for (const [index, name] of columns.entries()) {
    if (!isColumn(name)) {
      refuse('extra_forbidden', name, 'There is no such column');
    } else if (columns.indexOf(name) < index) {
      refuse('repeated', name, 'Input should be given once');
    }
  }
  if (!columns.includes('title')) refuse('missing', 'title', 'Field required');
  if (fields.length > 0) throw badColumns(fields);
}

function badColumns(fields: FieldProblem[]): AppError {
  const message = `The first row must name columns, separated by commas: ${EDITABLE_FIELDS.join(', ')}`;
  return new AppError('validation_failed', message, { fields });
}

function isColumn(name: string): boolean {
  return (EDITABLE_FIELDS as readonly string[]).includes(name);
}

const FOREIGN_SEPARATORS = { ';': 'semicolons', '\t': 'tabs', '|': 'vertical bars' };

/** The separator that the columns seem to use instead of commas, if any. */
function foreignSeparator([first = '']: string[]): string | undefined {
  const [, name] =
    Object.entries(FOREIGN_SEPARATORS).find(([it]) => {
      const parts = first.split(it);
      return parts.length > 1 && parts.some((part) => isColumn(part.trim()));
    }) ?? [];
  return name;
}

function lineOf(line: number, cells: Uint8Array[], columns: string[]): ItemLine {
  if (cells.length !== columns.length) {
    const message = `The row has ${cells.length} cells, the first row has ${columns.length}`;
    return { line, code: 'csv_invalid', message };
  }
  const bytes = cells.reduce((sum, cell) => sum + cell.byteLength, 0);
  if (bytes > MAX_LINE_BYTES) return tooLong(line);
  const value: Record<string, unknown> = {};
  for (const [index, name] of columns.entries()) {
    const text = decoded(cells[index] as Uint8Array);
    if (text === undefined) return { line, code: 'value_error', message: `${name}: ${NOT_UTF8}` };
    const read = cellValue(name, unguarded(text));
    if ('problem' in read) return { line, code: 'value_error', message: read.problem };
    if (text !== '') value[name] = read.value;
  }
  return { line, bytes, value };
}

/** Tags are a JSON list or separated by semicolons; data is JSON. */
function cellValue(name: string, text: string): Read {
  if (text === '') return { value: undefined };
  if (name === 'data' || (name === 'tags' && text.startsWith('[')))
    return parsed(Buffer.from(text), name);
  if (name !== 'tags') return { value: text };
  const tags = text.split(';').map((tag) => tag.trim());
  return { value: tags.filter((tag) => tag !== '') };
}

type Read = { value: unknown } | { code: string; problem: string };

const NOT_UTF8 = 'Invalid UTF-8';
// A byte order mark at the start of a cell is part of its text.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Parses the JSON of a column or, without `column`, of a whole line. */
function parsed(bytes: Uint8Array, column?: string): Read {
  try {
    return { value: parseJson(bytes) };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const path = [...(column === undefined ? [] : [column]), ...error.path].join('.');
    const reason = error.isFlaw ? `Value error, ${error.message}` : error.message;
    const code = error.isFlaw ? 'value_error' : 'json_invalid';
    return { code, problem: path === '' ? reason : `${path}: ${reason}` };
  }
}

function tooLong(line: number): LineFailure {
  return { line, code: 'too_long', message: `Line should be at most ${MAX_LINE_BYTES} bytes` };
}
