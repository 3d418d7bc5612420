import type { FilterField, FilterFields } from '../../../schemas/filters.ts';
import { Text } from '../../../schemas/kinds.ts';
import type {
  Condition as FieldCondition,
  FilterOp,
  FilterValue,
} from '../../../services/conditions.ts';
import { type Refusal, readTime, refusalOf, storedForm } from '../../request/validation.ts';

/** A condition on a field of a list; `path` leads to a value within the field. */
export interface Condition<Field extends string> extends FieldCondition<Field> {
  path: readonly string[];
}

/** A condition as the client sent it. */
export interface SentCondition {
  name: string;
  op: string;
  value: string;
}

const TEXT = Text({ maxLength: 20_000 });
const PATTERN = Text({ maxLength: 200 });
const MAX_PATH = 10;
const MAX_VALUES = 100;
/** Matching tries each wildcard at every position of a text. */
const MAX_WILDCARDS = 5;

const BY_NAME = /^filter\[([^[\]]*)\]\[([^[\]]*)\]$/;
/** The value starts after a single space; it may be empty. */
const AS_TEXT = /^[ \t]*([^ \t]+)[ \t]+([^ \t]+)(?:[ \t]([\s\S]*))?$/;

/** Parses a parameter `filter[field][op]`. */
export function sentByName(parameter: string, value: string): SentCondition | Refusal {
  const [, name, op] = parameter.match(BY_NAME) ?? [];
  if (name !== undefined && op !== undefined) return { name, op, value };
  return refusal('extra_forbidden', 'Input should be filter[field][op]=value');
}

/** Parses a text `field op value`. */
export function sentAsText(text: string): SentCondition | Refusal {
  const [, name, op, value = ''] = text.match(AS_TEXT) ?? [];
  if (name !== undefined && op !== undefined) return { name, op, value };
  return refusal(
    'value_error',
    'Input should be "field op value", as in "created_at gte 2026-11-22"',
  );
}

/** The validated condition, or a refusal of its field, operator or value. */
export function readCondition<Fields extends FilterFields>(
  fields: Fields,
  sent: SentCondition,
  callerId: number | undefined,
): Condition<keyof Fields & string> | Refusal {
  const { op } = sent;
  const [name = '', ...path] = sent.name.split('.');
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field || !isPath(field, path)) return noField(sent, fields);
  if (!isOp(field, op)) {
    const msg = `${name} has no operator ${shortened(op)}; it has ${field.ops.join(', ')}`;
    return refusal('literal_error', msg);
  }
  const values = readValues(field, op, sent.value, callerId);
  return isRefused(values)
    ? { ...values, msg: `${shortened(sent.name)} ${op}: ${values.msg}` }
    : { field: name, path, op, values };
}

export function isRefused(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'msg' in value;
}

function isOp({ ops }: FilterField, op: string): op is FilterOp {
  return (ops as readonly string[]).includes(op);
}

function isPath({ hasPath }: FilterField, path: string[]): boolean {
  if (!hasPath) return path.length === 0;
  const isKey = (key: string) => /^[\w-]{1,100}$/.test(key);
  return path.length > 0 && path.length <= MAX_PATH && path.every(isKey);
}

function noField({ name }: SentCondition, fields: FilterFields): Refusal {
  const known = Object.entries(fields).map(([each, { hasPath }]) =>
    hasPath ? `${each} with a path, such as ${each}.a.b` : each,
  );
  const msg = `${shortened(name)} is not a field of this list; its fields are ${known.join(', ')}`;
  return refusal('extra_forbidden', msg);
}

function readValues(
  field: FilterField,
  op: FilterOp,
  value: string,
  callerId: number | undefined,
): FilterValue[] | Refusal {
  const unstorable = refusalOf(TEXT, value);
  if (unstorable) return unstorable;
  const text = field.isNfc ? storedForm({ elysiaMeta: 'nfc' }, value) : value;
  const texts = op === 'in' ? splitList(text) : [text];
  if (texts.length > MAX_VALUES) {
    return refusal('too_long', `List should have at most ${MAX_VALUES} items`);
  }
  const values: FilterValue[] = [];
  for (const each of texts) {
    const read = readValue(field, op, each, callerId);
    if (isRefused(read)) return read;
    values.push(read);
  }
  return values;
}

/** Parses one value. Blanks around it are significant only in texts. */
function readValue(
  { type }: FilterField,
  op: FilterOp,
  text: string,
  callerId: number | undefined,
): FilterValue | Refusal {
  const isJson = type === 'json';
  if (op === 'is') return readOneOf(isJson ? [...IS, 'true', 'false'] : IS, text.trim());
  if (op === 'like') return readPattern(text);
  if (isJson) return readJson(text, op);
  if (type === 'text' || type === 'name') return text;
  if (type === 'time') return readTime(text);
  if (type === 'integer') return readInteger(text.trim());
  if (type === 'number') return readNumber(text.trim());
  return type === 'account' ? readAccount(text.trim(), callerId) : readOneOf(type, text.trim());
}

const IS = ['null', 'not_null'];

/** Splits a list at its commas; `\,` is a comma within a value and `\\` a backslash. */
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

function readAccount(text: string, callerId: number | undefined): number | Refusal {
  if (text !== 'me') return readInteger(text);
  return callerId ?? refusal('value_error', 'me is the caller, who is not signed in');
}

function readInteger(text: string): number | Refusal {
  const number = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number)
    ? number
    : refusal('int_parsing', 'Input should be a valid integer');
}

function readNumber(text: string): number | Refusal {
  const number = /^-?\d{1,16}(\.\d{1,16})?(e[+-]?\d{1,3})?$/i.test(text)
    ? Number(text)
    : Number.NaN;
  return Number.isFinite(number)
    ? number
    : refusal('float_parsing', 'Input should be a valid number');
}

function readPattern(text: string): string | Refusal {
  if (text.split('*').length - 1 > MAX_WILDCARDS) {
    return refusal('string_too_long', `Input should have at most ${MAX_WILDCARDS} *`);
  }
  return refusalOf(PATTERN, text) ?? text;
}

function readOneOf(known: readonly string[], text: string): string | Refusal {
  if (known.includes(text)) return text;
  return refusal('literal_error', `Input should be one of ${known.join(', ')}`);
}

/** A JSON scalar; any other text is taken literally. */
function readJson(text: string, op: FilterOp): FilterValue | Refusal {
  const value = scalarOf(text);
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    return refusal('value_error', 'Value error, numbers must lie within ±(2^53 - 1)');
  }
  const isOrdered = typeof value === 'number' || typeof value === 'string';
  if (isOrdered || op === 'eq' || op === 'ne' || op === 'in') return value;
  return refusal('value_error', `${text} has no order`);
}

function scalarOf(text: string): FilterValue {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'string') return refusalOf(TEXT, value) ? text : value;
    return typeof value === 'object' && value !== null ? text : (value as FilterValue);
  } catch {
    return text;
  }
}

function shortened(text: string): string {
  return text.slice(0, 100);
}

function refusal(type: string, msg: string): Refusal {
  return { type, msg };
}
