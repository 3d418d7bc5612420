import type { Definition, Field } from '../../../src/resources/declare/definition.ts';

/** Returns a number from 0 to 1. */
export type Random = () => number;

export type Fields = Record<string, unknown>;

export const pick = <T>(random: Random, values: readonly T[]): T =>
  values[Math.floor(random() * values.length)] as T;

/** Few different values, so that filters find rows and sorts have ties. */
const TEXTS = ['a', 'B', 'Élan', '100% hutch', 'straw, wood', '🐇 z', 'a_b'];
const TIMES = ['2026-01-01T00:00:00.000Z', '2026-02-02T12:30:00.500Z', '2027-03-03T00:00:00.000Z'];

/** Returns a value that the field accepts, or null where it may be. `ids` are those of referenced rows. */
function sampleOf(random: Random, field: Field, ids: readonly number[]): unknown {
  if (field.isNullable && random() < 0.3) return null;
  return SAMPLES[field.kind](random, field, ids);
}

type Sample = (random: Random, field: Field, ids: readonly number[]) => unknown;

const SAMPLES: Record<Field['kind'], Sample> = {
  text: (random, field) => textOf(random, field),
  integer: (random, field) => numberOf(random, field),
  real: (random, field) => numberOf(random, field) + pick(random, [0, 0.25]),
  flag: (random) => random() < 0.5,
  time: (random) => pick(random, TIMES),
  choice: (random, { choices = [] }) => pick(random, choices),
  visibility: (random, { choices = [] }) => pick(random, choices),
  json: (random) => ({ n: pick(random, [1, 2.5, 'two', true, null]), s: pick(random, TEXTS) }),
  texts: (random) => TEXTS.slice(0, 3).filter(() => random() < 0.4),
  ref: (random, _, ids) => pick(random, ids),
};

function textOf(random: Random, { schema }: Field): string {
  const {
    minLength = 0,
    maxLength = 100,
    format,
  } = schema as { minLength?: number; maxLength?: number; format?: string };
  const text = pick(random, TEXTS);
  if (format === 'uri') return `https://example.com/${encodeURIComponent(text)}`;
  return text.padEnd(minLength, 'x').slice(0, maxLength).normalize('NFC');
}

function numberOf(random: Random, { schema }: Field): number {
  const { minimum = -5, maximum = 5 } = schema as { minimum?: number; maximum?: number };
  const low = Math.max(minimum, -5);
  return Math.min(low + Math.floor(random() * 6), maximum);
}

/** Returns the fields of a new row; optional ones are sometimes missing. */
export function newRow(
  random: Random,
  { fields }: Definition,
  ids: Record<string, readonly number[]>,
): Fields {
  const sent = fields.filter(({ isRequired }) => isRequired || random() < 0.8);
  return Object.fromEntries(
    sent.map((field) => [field.name, sampleOf(random, field, ids[field.name] ?? [])]),
  );
}

/** A condition on a field, as a list takes it. */
export interface Condition {
  field: string;
  /** The keys that lead to a value in JSON. */
  path: string[];
  op: string;
  /** The values as the model compares them. */
  values: (string | number | boolean | null)[];
}

type Row = Record<string, unknown>;

/** Returns a condition on one of the filters, with values of stored rows, so that it finds some. */
export function conditionOf(
  random: Random,
  { filters, fields }: Definition,
  rows: readonly Row[],
): Condition {
  const name = pick(random, Object.keys(filters));
  const { ops = [], hasPath } = filters[name] ?? {};
  const op = pick(random, ops);
  const field = fields.find((it) => it.name === name);
  const path = hasPath ? [pick(random, ['n', 's', 'missing'])] : [];
  const other = () => (field ? sampleOf(random, { ...field, isNullable: false }, [1]) : 1);
  const operand = () => {
    if (op === 'is') return pick(random, ['null', 'not_null']);
    const row = pick(random, rows)[name] ?? other();
    const value = path.reduce<unknown>(within, row) ?? (path.length > 0 ? 'a' : row);
    const single = Array.isArray(value) ? (value[0] ?? 'a') : value;
    return op === 'like' ? `*${[...String(single)][0]}*` : (single as string | number | boolean);
  };
  return { field: name, path, op, values: Array.from({ length: op === 'in' ? 2 : 1 }, operand) };
}

function within(value: unknown, key: string): unknown {
  return (value as Row | null)?.[key];
}

/** Returns a condition as the parameter `where`. */
export function whereOf({ field, path, op, values }: Condition): string {
  const escaped = values.map((value) => {
    const text = String(value);
    return op === 'in' ? text.replace(/[\\,]/g, '\\$&') : text;
  });
  return `${[field, ...path].join('.')} ${op} ${escaped.join(',')}`;
}
