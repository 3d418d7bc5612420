import type { Definition } from '../../../src/resources/declare/definition.ts';
import type { Condition } from './samples.ts';

export type Document = Record<string, unknown> & { id: number };

export interface SortKey {
  field: string;
  isDescending: boolean;
}

/** Returns the ids of the rows that pass all conditions, in order: what a list must return. */
export function idsOf(
  definition: Definition,
  rows: readonly Document[],
  conditions: readonly Condition[],
  sort: readonly SortKey[],
): number[] {
  return rows
    .filter((row) => conditions.every((condition) => holds(definition, condition, row)))
    .sort(comparing(sort))
    .map(({ id }) => id);
}

/** The id breaks ties, in the direction of the last key; after views in the opposite one. */
function comparing(sort: readonly SortKey[]) {
  const last = sort.at(-1) ?? { field: 'id', isDescending: true };
  const isDescending = last.field === 'views' ? !last.isDescending : last.isDescending;
  const keys = [...sort, { field: 'id', isDescending }];
  return (a: Document, b: Document) => {
    for (const { field, isDescending } of keys) {
      const order = compare(a[field], b[field]);
      if (order !== 0) return isDescending ? -order : order;
    }
    return 0;
  };
}

/** Texts are compared by their bytes, and false is before true. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return Number(a) - Number(b);
}

function holds(definition: Definition, condition: Condition, row: Document): boolean {
  const { field, path, op } = condition;
  const kind = definition.fields.find(({ name }) => name === field)?.kind;
  const actual = path.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    row[field],
  );
  const values = condition.values.map((value) =>
    kind === 'json' && op !== 'is' ? scalarOf(value) : value,
  );
  if (kind === 'texts' && op !== 'is') {
    const isThere = ((actual ?? []) as string[]).some((text) => values.includes(text));
    return op === 'ne' ? !isThere : isThere;
  }
  return passes(op, actual ?? null, values);
}

/** Text in a condition on JSON is read as JSON if it is a scalar. */
function scalarOf(value: Condition['values'][number]): Condition['values'][number] {
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === 'object' && parsed !== null ? value : (parsed as string | number);
  } catch {
    return value;
  }
}

function passes(op: string, actual: unknown, values: readonly unknown[]): boolean {
  const [value] = values;
  if (op === 'is') return (actual === null) === (value === 'null');
  if (op === 'ne') return actual !== value;
  if (op === 'eq' || op === 'in') return actual !== null && values.includes(actual);
  if (op === 'like') return typeof actual === 'string' && patternOf(String(value)).test(actual);
  if (typeof actual !== typeof value || actual === null) return false;
  const order = compare(actual, value);
  if (op === 'gt') return order > 0;
  if (op === 'gte') return order >= 0;
  return op === 'lt' ? order < 0 : order <= 0;
}

/** `*` matches any text; only the case of A to Z is ignored. */
function patternOf(pattern: string): RegExp {
  const source = [...pattern]
    .map((char) => {
      if (char === '*') return '[\\s\\S]*';
      if (/[a-z]/i.test(char)) return `[${char.toLowerCase()}${char.toUpperCase()}]`;
      return char.replace(/[.+?^${}()|[\]\\/]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`, 'u');
}
