import { AppError, type FieldProblem } from '../../../core/exceptions.ts';
import type { Field } from '../../../resources/declare/definition.ts';
import { byteLines, isBlank, withoutBom } from '../../../utils/text/byte-lines.ts';
import { csvRows, unguarded } from '../../../utils/text/csv.ts';
import { readCell } from './cells.ts';
import { parsed, type Read } from './line-json.ts';

export type LineFormat = 'jsonl' | 'csv';

/** The reason why a line is rejected. */
export interface LineFailure {
  line: number;
  code: string;
  message: string;
}

/** The parsed value of a line, not yet validated, or the reason why it cannot be parsed. */
export type RowLine = { line: number; bytes: number; value: unknown } | LineFailure;

/** Columns of CSV that are checked; a row has few. */
const MAX_COLUMNS = 100;

const MAX_LINE_BYTES = 1_048_576;

/**
 * Reads rows from a stream of bytes, one line in memory at a time; skips empty lines. Throws
 * validation_failed for CSV whose first row lacks a required column or names an unknown one.
 */
export function rowLines(
  fields: readonly Field[],
  format: LineFormat,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<RowLine> {
  const bytes = withoutBom(source);
  return format === 'csv' ? fromCsv(fields, bytes) : fromJsonLines(bytes);
}

async function* fromJsonLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<RowLine> {
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

async function* fromCsv(
  fields: readonly Field[],
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<RowLine> {
  let columns: Field[] | undefined;
  for await (const row of csvRows(source, MAX_LINE_BYTES)) {
    const { line } = row;
    if (!row.cells) {
      yield { line, code: 'csv_invalid', message: row.problem };
    } else if (columns) {
      yield lineOf(line, row.cells, columns);
    } else {
      const names = row.cells.slice(0, MAX_COLUMNS).map((cell) => decoded(cell) ?? '');
      columns = columnsOf(fields, names);
    }
  }
  if (!columns) columnsOf(fields, []);
}

/** Returns the fields that the first row names. Throws validation_failed for a wrong first row. */
function columnsOf(fields: readonly Field[], names: string[]): Field[] {
  const problems: FieldProblem[] = [];
  const refuse = (type: string, name: string, msg: string) =>
    problems.push({ type, path: [name.slice(0, 100)], msg });
  const separator = foreignSeparator(fields, names);
  if (separator) {
    const msg = `The columns are separated by ${separator} instead of commas`;
    refuse('value_error', names.join(','), msg);
    throw badColumns(fields, problems);
  }
  const columns = names.map((name, index) => {
    const field = fields.find((it) => it.name === name);
    if (!field) refuse('extra_forbidden', name, 'There is no such column');
    else if (names.indexOf(name) < index) refuse('repeated', name, 'Input should be given once');
    return field as Field;
  });
  for (const { name, isRequired } of fields) {
    if (isRequired && !names.includes(name)) refuse('missing', name, 'Field required');
  }
  if (problems.length > 0) throw badColumns(fields, problems);
  return columns;
}

function badColumns(known: readonly Field[], fields: FieldProblem[]): AppError {
  const names = known.map(({ name }) => name).join(', ');
  const message = `The first row must name columns, separated by commas: ${names}`;
  return new AppError('validation_failed', message, { fields });
}

const FOREIGN_SEPARATORS = { ';': 'semicolons', '\t': 'tabs', '|': 'vertical bars' };

/** The separator that the columns seem to use instead of commas, if any. */
function foreignSeparator(fields: readonly Field[], [first = '']: string[]): string | undefined {
  const isColumn = (name: string) => fields.some((field) => field.name === name);
  const [, name] =
    Object.entries(FOREIGN_SEPARATORS).find(([it]) => {
      const parts = first.split(it);
      return parts.length > 1 && parts.some((part) => isColumn(part.trim()));
    }) ?? [];
  return name;
}

function lineOf(line: number, cells: Uint8Array[], columns: Field[]): RowLine {
  if (cells.length !== columns.length) {
    const message = `The row has ${cells.length} cells, the first row has ${columns.length}`;
    return { line, code: 'csv_invalid', message };
  }
  const bytes = cells.reduce((sum, cell) => sum + cell.byteLength, 0);
  if (bytes > MAX_LINE_BYTES) return tooLong(line);
  const value: Record<string, unknown> = {};
  for (const [index, field] of columns.entries()) {
    const { name } = field;
    const text = decoded(cells[index] as Uint8Array);
    if (text === undefined) return { line, code: 'value_error', message: `${name}: ${NOT_UTF8}` };
    if (text === '') continue;
    const read: Read = readCell(field, unguarded(text));
    if ('problem' in read) return { line, code: 'value_error', message: read.problem };
    if (read.value !== undefined) value[name] = read.value;
  }
  return { line, bytes, value };
}

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

function tooLong(line: number): LineFailure {
  return { line, code: 'too_long', message: `Line should be at most ${MAX_LINE_BYTES} bytes` };
}
