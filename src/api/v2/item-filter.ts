import type { Deps } from '../../core/deps.ts';
import { Text } from '../../schemas/kinds.ts';
import { type Refusal, refusalOf } from '../kinds.ts';
import { readTime } from '../query-time.ts';

export type ItemFilter = Parameters<Deps['itemList']['list']>[1]['filters'][number];
type Op = ItemFilter['op'];
type Value = ItemFilter['values'][number];

interface Kind {
  ops: readonly Op[];
  /** The value of a text; what is none is refused. */
  read(text: string, op: Op): Value | Refusal;
}

const ORDERED = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in'] as const;
const IS = { null: true, not_null: true };
const IS_IN_DATA = { ...IS, true: true, false: true };

const integer: Kind = { ops: ORDERED, read: readInteger };
const time: Kind = { ops: ORDERED, read: readTime };
const text: Kind = { ops: [...ORDERED, 'like'], read: readText };
const url: Kind = {
  ops: ['eq', 'ne', 'in', 'like', 'is'],
  read: (it, op) => (op === 'is' ? readOneOf(IS, it) : readText(it, op)),
};
const tag: Kind = { ops: ['eq', 'ne', 'in'], read: readText };
const visibility: Kind = {
  ops: ['eq', 'ne', 'in'],
  read: (it) => readOneOf({ public: true, private: true }, it),
};
const data: Kind = { ops: [...ORDERED, 'like', 'is'], read: readData };

const KINDS: Record<ItemFilter['field'], Kind> = {
  id: integer,
  owner_id: integer,
  views: integer,
  version: integer,
  title: text,
  url,
  tags: tag,
  visibility,
  created_at: time,
  updated_at: time,
  data,
};

const TEXT = Text({ maxLength: 20_000 });
const PATTERN = Text({ maxLength: 200 });
const MAX_PATH = 10;
const MAX_VALUES = 100;
/** Each wildcard may be tried at every place of a text. */
const MAX_WILDCARDS = 5;

/** The filter that a parameter `filter[field][op]` is, or why it is none. */
export function readFilter(name: string, value: string, callerId: number | undefined) {
  const [, given = '', op = ''] = name.match(/^filter\[([^[\]]*)\]\[([^[\]]*)\]$/) ?? [];
  const [field = '', ...path] = given.split('.');
  const kind = Object.hasOwn(KINDS, field) ? KINDS[field as ItemFilter['field']] : undefined;
  if (!kind || !isPath(field, path)) {
    const fields = `${Object.keys(KINDS).join(', ')} with a path, as data.a.b`;
    return refused('extra_forbidden', `Input should be filter[field][op], field one of ${fields}`);
  }
  if (!kind.ops.includes(op as Op)) {
    return refused(
      'literal_error',
      `The operator of ${field} should be one of ${kind.ops.join(', ')}`,
    );
  }
  const unstorable = refusalOf(TEXT, value);
  if (unstorable) return unstorable;
  const texts = op === 'in' ? splitList(value) : [value];
  if (texts.length > MAX_VALUES)
    return refused('too_long', `List should have at most ${MAX_VALUES} items`);
  const values: Value[] = [];
  for (const each of texts) {
    const own = field === 'owner_id' && each === 'me' ? meOf(callerId) : kind.read(each, op as Op);
    if (isRefused(own)) return own;
    values.push(own);
  }
  return { field: field as ItemFilter['field'], path, op: op as Op, values };
}

export function isRefused(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'msg' in value;
}

function isPath(field: string, path: string[]): boolean {
  if (field !== 'data') return path.length === 0;
  const isKey = (key: string) => /^[\w-]{1,100}$/.test(key);
  return path.length > 0 && path.length <= MAX_PATH && path.every(isKey);
}

/** Comma by comma; `\,` is a comma inside of a value and `\\` a backslash. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const [piece] of list.matchAll(/\\[,\\]|[\s\S]/g)) {
    if (piece !== ',') {
      part += piece.at(-1);
      continue;
    }
    parts.push(part);
    part = '';
  }
  return [...parts, part];
}

function meOf(callerId: number | undefined): number | Refusal {
  return callerId ?? refused('value_error', 'me is who is signed in, and nobody is');
}

function readInteger(it: string): number | Refusal {
  const number = /^-?\d{1,16}$/.test(it) ? Number(it) : Number.NaN;
  return Number.isSafeInteger(number)
    ? number
    : refused('int_parsing', 'Input should be a valid integer');
}

function readText(it: string, op?: Op): string | Refusal {
  if (op !== 'like') return it;
  if (it.split('*').length - 1 > MAX_WILDCARDS) {
    return refused('string_too_long', `Input should have at most ${MAX_WILDCARDS} *`);
  }
  return refusalOf(PATTERN, it) ?? it;
}

function readOneOf(known: object, it: string): string | Refusal {
  if (Object.hasOwn(known, it)) return it;
  return refused('literal_error', `Input should be one of ${Object.keys(known).join(', ')}`);
}

/** A JSON scalar; what is none is text as it stands. */
function readData(it: string, op: Op): Value | Refusal {
  if (op === 'is') return readOneOf(IS_IN_DATA, it);
  if (op === 'like') return readText(it, op);
  const value = scalarOf(it);
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return refused('value_error', 'Value error, numbers must lie within ±(2^53 - 1)');
  }
  const isOrdered = typeof value === 'number' || typeof value === 'string';
  if (isOrdered || op === 'eq' || op === 'ne' || op === 'in') return value;
  return refused('value_error', `${it} is neither more nor less than anything`);
}

function scalarOf(it: string): Value {
  try {
    const value: unknown = JSON.parse(it);
    if (typeof value === 'number') return Number.isFinite(value) ? value : it;
    if (typeof value === 'string') return refusalOf(TEXT, value) ? it : value;
    return typeof value === 'object' && value !== null ? it : (value as Value);
  } catch {
    return it;
  }
}

function refused(type: string, msg: string): Refusal {
  return { type, msg };
}
