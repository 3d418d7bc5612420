import { AppError, type FieldProblem } from '../../core/exceptions.ts';
import type { Definition, Field, Row } from '../../resources/declare/definition.ts';
import { createDecoder, type Document } from '../../resources/declare/values.ts';
import { mergePatch } from '../../utils/json/merge-patch.ts';
import { codePoints, nfc } from '../../utils/text/text.ts';

/** Values of fields, as clients send them. */
export type Values = Readonly<Record<string, unknown>>;

/** Values of columns, as they are stored. */
export type Columns = Record<string, string | number | null>;

export type RowValues = ReturnType<typeof createRowValues>;

/** Converts the values of a resource's fields to columns and back. */
export function createRowValues({ fields }: Pick<Definition, 'fields'>) {
  const all = fields.map((field) => ({ field, name: field.name, store: storeOf(field) }));
  const byName = new Map(all.map((it) => [it.name, it]));
  const decode = createDecoder(fields);
  const required = fields.filter(({ isRequired }) => isRequired);
  return {
    /** The columns of a new row, with defaults. Throws validation_failed for a missing field. */
    ofNew: (values: Values): Columns => {
      for (const { name } of required) if (values[name] === undefined) throw missing(name);
      const columns: Columns = {};
      for (const { name, field, store } of all) {
        const value = values[name];
        columns[name] = store(value === undefined ? (field.default ?? null) : value);
      }
      return columns;
    },

    /**
     * The columns of the given values; a JSON object is a merge patch. Throws validation_failed if
     * one grows too large.
     */
    ofChange: (row: Row, values: Values): Columns => {
      const columns: Columns = {};
      for (const name in values) {
        const it = byName.get(name);
        const value = values[name];
        if (!it || value === undefined) continue;
        columns[name] = it.store(
          it.field.kind === 'json' && value !== null ? patched(it.field, row, value) : value,
        );
      }
      return columns;
    },

    /** Columns of an earlier version, with texts in NFC. */
    inNfc: (columns: Columns): Columns => {
      const result = { ...columns };
      for (const name in columns) {
        const it = byName.get(name);
        const value = columns[name];
        if (it?.field.isNfc && typeof value === 'string') {
          result[name] = it.field.kind === 'texts' ? it.store(JSON.parse(value)) : it.store(value);
        }
      }
      return result;
    },

    /** A row, or some of its columns, as clients see them. */
    shown: (columns: object): Document => decode(columns as Row),
  };
}

/** The error for values that the resource refuses. */
export function invalid(...fields: FieldProblem[]): AppError {
  return new AppError('validation_failed', 'The request is not valid', { fields });
}

function missing(name: string): AppError {
  return invalid({ type: 'missing', path: [name], msg: 'Field required' });
}

type Store = (value: unknown) => string | number | null;

function storeOf(field: Field): Store {
  const store = storePresent(field);
  return (value) => (value === null ? null : store(value));
}

function storePresent(field: Field): Store {
  const { kind, isNfc } = field;
  if (kind === 'flag') return (value) => (value ? 1 : 0);
  if (kind === 'json') return (value) => JSON.stringify(value);
  if (kind === 'texts') {
    return (value) =>
      JSON.stringify([...new Set(isNfc ? (value as string[]).map(nfc) : (value as string[]))]);
  }
  if (isNfc) return (value) => nfcWithin(value as string, maxLengthOf(field));
  return (value) => value as string | number;
}

/** The text in NFC; a stored text that would exceed its limit in NFC stays unchanged. */
function nfcWithin(text: string, maxLength: number): string {
  const form = nfc(text);
  return form === text || codePoints(form) <= maxLength ? form : text;
}

function maxLengthOf({ schema }: Field): number {
  return schema['maxLength'] ?? Number.POSITIVE_INFINITY;
}

function patched(field: Field, row: Row, patch: unknown): object {
  const { name, maxBytes = Number.POSITIVE_INFINITY } = field;
  const stored = row[name];
  const target = typeof stored === 'string' ? JSON.parse(stored) : {};
  const merged = mergePatch(target, patch as Record<string, unknown>);
  if (Buffer.byteLength(JSON.stringify(merged)) > maxBytes) {
    const msg = `Input should be at most ${maxBytes} bytes of JSON`;
    throw invalid({ type: 'too_long', path: [name], msg });
  }
  return merged;
}
