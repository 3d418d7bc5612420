import type { Field } from '../../../resources/declare/definition.ts';
import { parsed, type Read } from './line-json.ts';

type StoredValue = string | number | null;

/**
 * Reads a cell of CSV as clients send the field in JSON. A text that does not fit stays as it is, so
 * that the schema of the field refuses it.
 */
export function readCell({ name, kind }: Pick<Field, 'name' | 'kind'>, text: string): Read {
  if (text === '') return { value: undefined };
  if (kind === 'json' || (kind === 'texts' && text.startsWith('['))) {
    return parsed(Buffer.from(text), name);
  }
  if (kind === 'texts') {
    const texts = text.split(';').map((each) => each.trim());
    return { value: texts.filter((each) => each !== '') };
  }
  if (kind === 'integer' || kind === 'real' || kind === 'ref') return { value: numberOf(text) };
  return { value: kind === 'flag' ? (FLAGS[text.trim().toLowerCase()] ?? text) : text };
}

const FLAGS: Record<string, boolean> = { true: true, false: false };

function numberOf(text: string): number | string {
  const isDecimal = /^ *-?\d{1,17}(\.\d{1,17})?(e[+-]?\d{1,3})? *$/i.test(text);
  return isDecimal ? Number(text) : text;
}

/** Writes a stored value as a cell that `readCell` reads as an equal value. */
export function writeCell(field: Field, value: StoredValue): string {
  const { kind, default: byDefault } = field;
  if (value === null) return '';
  if (kind === 'flag') return value === 1 ? 'true' : 'false';
  if (kind === 'json') return value === JSON.stringify(byDefault) ? '' : String(value);
  if (kind !== 'texts') return String(value);
  // An empty cell is read as the default, which may be null.
  const isOther = value === '[]' && JSON.stringify(byDefault) !== '[]';
  return isOther ? '[]' : textsCell(String(value));
}

/** Separated by semicolons if that is unambiguous, else a JSON list. */
function textsCell(json: string): string {
  const texts: string[] = JSON.parse(json);
  const isPlain = texts.every((each) => !each.includes(';') && each.trim() === each);
  const text = texts.join(';');
  return isPlain && !/^'*\[/.test(text) ? text : json;
}
