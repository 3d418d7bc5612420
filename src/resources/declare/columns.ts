import type { Static, TSchema } from '@sinclair/typebox';
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { t } from 'elysia';
import { Choice, Flag, Integer, JsonObject, Text, Time } from '../../schemas/kinds.ts';
import { type Column, column, type OnDelete } from './column.ts';
import type { Resource } from './definition.ts';

/** The text and the examples of a field in the OpenAPI document. */
interface Described<Value> {
  description?: string;
  examples?: Value[];
}

export interface TextColumnOptions extends Described<string> {
  /** The least number of code points. Default: 0. */
  min?: number;
  /** The most code points. Default: 5,000. */
  max?: number;
  /** `uri`: an address that starts with http or https, stored as sent. */
  format?: 'uri';
}

/** A text, stored in Unicode NFC. */
export function text({ min = 0, max = 5_000, format, ...described }: TextColumnOptions = {}) {
  const isNfc = format === undefined;
  const form = isNfc ? ({ elysiaMeta: 'nfc' } as const) : { format };
  const minLength = min > 0 ? { minLength: min } : {};
  return column<string, 'text'>({
    kind: 'text',
    type: 'text',
    isNfc,
    schema: () => Text({ ...minLength, maxLength: max, ...form, ...described }),
    // A format implies more than SQL can check; the schema is enough.
    ...(isNfc && { check: (it) => lengthCheck(it, min, max) }),
  });
}

export interface NumberColumnOptions extends Described<number> {
  min?: number;
  max?: number;
}

/** A whole number, within ±(2^53 - 1). */
export function integer({ min, max, ...described }: NumberColumnOptions = {}) {
  const { minimum, maximum } = {
    minimum: min ?? -Number.MAX_SAFE_INTEGER,
    maximum: max ?? Number.MAX_SAFE_INTEGER,
  };
  return column<number, 'integer'>({
    kind: 'integer',
    type: 'integer',
    schema: () => Integer({ minimum, maximum, ...described }),
    ...boundsCheck(min, max),
  });
}

/** A number, stored as a 64-bit float. */
export function real({ min, max, ...described }: NumberColumnOptions = {}) {
  const bounds = {
    ...(min !== undefined && { minimum: min }),
    ...(max !== undefined && { maximum: max }),
  };
  return column<number, 'real'>({
    kind: 'real',
    type: 'real',
    schema: () => t.Number({ ...bounds, ...described }),
    ...boundsCheck(min, max),
  });
}

/** true or false. */
export function flag({ description }: { description?: string } = {}) {
  return column<boolean, 'flag'>({
    kind: 'flag',
    type: 'integer',
    schema: () => Flag({ ...(description !== undefined && { description }) }),
    check: (it) => sql`${it} in (0, 1)`,
  });
}

/** A time. Clients send RFC 3339 or a date; it is stored and shown in UTC with milliseconds. */
export function timestamp({ description }: { description?: string } = {}) {
  return column<string, 'time'>({
    kind: 'time',
    type: 'text',
    schema: () => Time({ ...(description !== undefined && { description }) }),
    check: (it) => sql`length(${it}) = 24`,
  });
}

/** One of several texts. */
export function oneOf<const V extends readonly [string, ...string[]]>(...choices: V) {
  return column<V[number], 'choice'>({
    kind: 'choice',
    type: 'text',
    choices,
    schema: (enumName) => Choice<string>(enumName, choices),
    check: (it) => sql`${it} in (${literals(choices)})`,
  });
}

/** The most bytes of a JSON column, unless it declares others. */
const MAX_JSON_BYTES = 65_536;

/** A value with the given schema, stored as JSON of at most 64 KiB. */
export function json<S extends TSchema>(schema: S) {
  return column<Static<S>, 'json'>({
    kind: 'json',
    type: 'text',
    maxBytes: MAX_JSON_BYTES,
    schema: () => schema,
    check: (it) => sql`json_valid(${it}) and ${bytesCheck(it, MAX_JSON_BYTES)}`,
  });
}

export interface AnyJsonOptions extends Described<object> {
  /** The most bytes of its JSON. Default: 65,536. */
  maxBytes?: number;
  /** The deepest nesting of objects and lists, including itself. Default: 20. */
  maxDepth?: number;
}

/** Any JSON object. A patch merges it (RFC 7396). */
export function anyJson(options: AnyJsonOptions = {}) {
  const { maxBytes = MAX_JSON_BYTES, maxDepth = 20, ...described } = options;
  // biome-ignore lint/suspicious/noExplicitAny: clients read the values without a cast.
  return column<Record<string, unknown>, 'json', Record<string, any>>({
    kind: 'json',
    type: 'text',
    maxBytes,
    schema: () => JsonObject({ maxBytes, maxDepth, ...described }),
    check: (it) => sql`json_type(${it}) = 'object' and ${bytesCheck(it, maxBytes)}`,
  });
}

export interface TextsOptions extends Described<string> {
  /** The most code points of each text. Default: 200. */
  max?: number;
  /** The most texts. Default: 20. */
  maxItems?: number;
}

/** A list of texts that are not empty, in Unicode NFC, in the given order and without duplicates. */
export function texts(options: TextsOptions = {}) {
  const { max = 200, maxItems = 20, description, examples } = options;
  const entry = () =>
    Text({ minLength: 1, maxLength: max, elysiaMeta: 'nfc', ...(examples && { examples }) });
  return column<string[], 'texts'>({
    kind: 'texts',
    type: 'text',
    isNfc: true,
    schema: () => t.Array(entry(), { maxItems, ...(description !== undefined && { description }) }),
    check: (it) => sql`json_type(${it}) = 'array'`,
  });
}

const VISIBILITIES = ['public', 'private'] as const;

/** The readers of a row of a public resource: everyone, which is the default, or only its owner. */
export function visibility({ description }: { description?: string } = {}) {
  const options = description === undefined ? {} : { description };
  return column<(typeof VISIBILITIES)[number], 'visibility'>({
    kind: 'visibility',
    type: 'text',
    choices: VISIBILITIES,
    schema: () => Choice('Visibility', VISIBILITIES, options),
    check: (it) => sql`${it} in (${literals(VISIBILITIES)})`,
  })
    .notNull()
    .default('public');
}

/**
 * The id of a row of another resource. `onDelete` says what happens to this row if that one is
 * erased; `restrict`, the default, refuses the erasure.
 */
export function ref<To extends Resource>(
  to: () => To,
  { onDelete = 'restrict', description }: { onDelete?: OnDelete; description?: string } = {},
): Column<number, 'ref', true, false, number, To> {
  const bounds = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
  return column<number, 'ref', number, To>({
    kind: 'ref',
    type: 'integer',
    schema: () => Integer({ ...bounds, ...(description !== undefined && { description }) }),
    ref: { to: () => to().definition, onDelete },
  });
}

type Check = (column: SQLWrapper) => SQL;

function lengthCheck(column: SQLWrapper, min: number, max: number): SQL {
  const [least, most] = [sql.raw(`${min}`), sql.raw(`${max}`)];
  return min > 0
    ? sql`length(${column}) between ${least} and ${most}`
    : sql`length(${column}) <= ${most}`;
}

function boundsCheck(min: number | undefined, max: number | undefined): { check?: Check } {
  const least: Check = (it) => sql`${it} >= ${sql.raw(`${min}`)}`;
  const most: Check = (it) => sql`${it} <= ${sql.raw(`${max}`)}`;
  if (min !== undefined && max !== undefined) {
    return { check: (it) => sql`${least(it)} and ${most(it)}` };
  }
  if (min !== undefined) return { check: least };
  return max === undefined ? {} : { check: most };
}

function bytesCheck(column: SQLWrapper, maxBytes: number): SQL {
  return sql`length(cast(${column} as blob)) <= ${sql.raw(`${maxBytes}`)}`;
}

/** Literals, because a CHECK has no parameters. */
function literals(values: readonly string[]): SQL {
  return sql.raw(values.map((it) => `'${it.replaceAll("'", "''")}'`).join(', '));
}
