import type { Definition, Field, FieldKind } from './definition.ts';
import { SYSTEM_FILTERS } from './filters.ts';

/** A mistake in a declaration. Its message names the resource. */
export class DeclarationError extends Error {
  override readonly name = 'DeclarationError';
}

/** The fields that the options of a declaration name. */
export interface NamedFields {
  filter: readonly string[];
  sort: readonly string[];
  search: readonly string[];
}

interface Names {
  name: string;
  one: string;
  idParam: string;
}

/** Fields that the engine adds to rows, and names that have a meaning in queries, SQLite or JavaScript. */
const RESERVED_FIELDS = new Set([
  'id',
  'owner_id',
  'owner',
  'version',
  'created_at',
  'updated_at',
  'deleted_at',
  'views',
  'relevance',
  'rank',
  'rowid',
  'oid',
  'constructor',
]);

/** First segments of paths in /api/v2, commands, and words of the engine's own routes. */
const RESERVED_NAMES = new Set(
  [
    'auth users tokens sources system audit usage admin webhooks jobs api v1 v2 constructor',
    'serve dev init check build types migrate openapi version help healthcheck',
    'batch bin events export import popular restore revisions stats views',
  ].flatMap((line) => line.split(' ')),
);

const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const MAX_NAME = 40;

/** Throws DeclarationError for names that a resource cannot have. */
export function checkNames({ name, one, idParam, ...fields }: Names & NamedFields): void {
  for (const [what, value] of Object.entries({ name, one, idParam })) checkName(name, what, value);
  if (RESERVED_NAMES.has(name)) throw mistake(name, `the name ${name} is reserved`);
  for (const [option, names] of Object.entries(fields)) {
    const repeated = names.find((it, index) => names.indexOf(it) !== index);
    if (repeated) throw mistake(name, `${option} names ${repeated} twice`);
  }
}

function checkName(resource: string, what: string, value: string): void {
  if (NAME.test(value) && value.length <= MAX_NAME) return;
  const rule = `lower-case letters, digits and single underscores, at most ${MAX_NAME} characters`;
  throw mistake(resource, `the ${what} ${JSON.stringify(value)} must consist of ${rule}`);
}

/** Throws DeclarationError for fields that a resource cannot have. */
export function checkFields(name: string, fields: readonly Field[]): void {
  if (fields.length === 0) throw mistake(name, 'it needs at least one column');
  for (const field of fields) {
    checkName(name, 'column', field.name);
    if (RESERVED_FIELDS.has(field.name)) {
      throw mistake(name, `the column name ${field.name} is reserved`);
    }
    if (field.ref?.onDelete === 'set null' && !field.isNullable) {
      throw mistake(name, `${field.name} cannot be set to null, because it is notNull()`);
    }
  }
}

/** Kinds without an order. */
const UNSORTED: ReadonlySet<FieldKind> = new Set(['json', 'texts', 'ref', 'visibility']);
const WORDS: ReadonlySet<FieldKind> = new Set(['text', 'texts']);

/** The fields that the engine maintains by which lists can be sorted, besides the id. */
export const SYSTEM_SORTS = ['created_at', 'updated_at', 'views'] as const;

/** Throws DeclarationError for options that contradict each other or the columns. */
export function checkOptions(
  definition: Pick<Definition, 'name' | 'fields' | 'hasViews' | 'read'>,
  { filter, sort, search }: NamedFields,
): void {
  const { name, fields, hasViews } = definition;
  const known = new Map(fields.map((it) => [it.name, it]));
  const isViews = (it: string) => it === 'views' && !hasViews;
  const find = (option: string, each: string, system: readonly string[]) => {
    const field = known.get(each);
    if (field || (system.includes(each) && !isViews(each))) return field;
    throw mistake(name, `${option} names ${each}, which is not a column`);
  };
  for (const each of filter) find('filter', each, Object.keys(SYSTEM_FILTERS));
  for (const each of sort) {
    const field = find('sort', each, SYSTEM_SORTS);
    if (field && UNSORTED.has(field.kind)) throw mistake(name, `sort: ${each} has no order`);
    if (field?.isNullable) throw mistake(name, `sort: ${each} must be notNull()`);
  }
  for (const each of search) {
    const field = find('search', each, []);
    if (field && !WORDS.has(field.kind)) throw mistake(name, `search: ${each} is not a text`);
  }
  checkVisibility(definition);
}

function checkVisibility({
  name,
  fields,
  read,
}: Pick<Definition, 'name' | 'fields' | 'read'>): void {
  const [first, second] = fields.filter(({ kind }) => kind === 'visibility');
  if (!first) return;
  if (second) throw mistake(name, 'it has two columns of visibility');
  if (first.name !== 'visibility') {
    throw mistake(name, `the column ${first.name} must have the name visibility`);
  }
  if (read !== 'public') throw mistake(name, "visibility needs read: 'public'");
}

/** Returns the error for a mistake in the declaration of a resource. */
export function mistake(resource: string, problem: string): DeclarationError {
  return new DeclarationError(`Resource ${JSON.stringify(resource)}: ${problem}.`);
}
