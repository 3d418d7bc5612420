import type { Json } from './document.ts';

/** Returns the values that are no longer accepted. */
export function requestBreaks(was: Json, is: Json, at: string): string[] {
  return [
    ...typeBreaks(was, is, at, (old, next) => old.every((type) => next.includes(type))),
    ...missing(valuesOf(was), valuesOf(is)).map((it) => `${at} takes ${it} no more`),
    ...BOUNDS.flatMap((bound) => boundBreaks(was, is, at, bound)),
    ...(is['pattern'] !== undefined && is['pattern'] !== was['pattern']
      ? [`${at} must match another pattern`]
      : []),
    ...(is['format'] !== undefined && is['format'] !== was['format'] && !isNumeric(is)
      ? [`${at} has another format`]
      : []),
    ...missing(requiredOf(is), requiredOf(was)).map((it) => `${at}.${it} is required now`),
    ...removedInputs(was, is, at),
    ...inner(was, is, at, requestBreaks),
  ];
}

/** Returns the parts of a response that are gone or have changed. */
export function responseBreaks(was: Json, is: Json, at: string): string[] {
  const gone = missing(Object.keys(propertiesOf(was)), Object.keys(propertiesOf(is)));
  const optional = missing(requiredOf(was), [...requiredOf(is), ...gone]);
  return [
    ...typeBreaks(was, is, at, (old, next) => next.every((type) => old.includes(type))),
    ...missing(valuesOf(was), valuesOf(is)).map((it) => `${at} is ${it} no more`),
    ...gone.map((it) => `${at}.${it} is gone`),
    ...optional.map((it) => `${at}.${it} may be missing now`),
    ...inner(was, is, at, responseBreaks),
  ];
}

/** Returns true for a numeric format: it names a type, and only the bounds restrict values. */
function isNumeric({ format }: Json): boolean {
  return ['int32', 'int64', 'double'].includes(String(format));
}

type Rule = (was: Json, is: Json, at: string) => string[];
interface Bound {
  name: string;
  /** Returns true if `next` accepts less than `old`. */
  isTighter(old: number, next: number): boolean;
}

const lower = (old: number, next: number) => next < old;
const higher = (old: number, next: number) => next > old;
const BOUNDS: Bound[] = [
  ...['maximum', 'maxLength', 'maxItems', 'maxProperties'].map((name) => ({
    name,
    isTighter: lower,
  })),
  ...['minimum', 'minLength', 'minItems', 'minProperties'].map((name) => ({
    name,
    isTighter: higher,
  })),
];

function boundBreaks(was: Json, is: Json, at: string, { name, isTighter }: Bound): string[] {
  const next = is[name];
  const unbounded = isTighter === lower ? Infinity : -Infinity;
  if (typeof next !== 'number' || !isTighter(Number(was[name] ?? unbounded), next)) return [];
  return [`${at} has the ${name} ${next} now`];
}

function typeBreaks(
  was: Json,
  is: Json,
  at: string,
  fits: (old: string[], next: string[]) => boolean,
): string[] {
  const [old, next] = [typesOf(was), typesOf(is)];
  if (old.length === 0 || fits(old, next)) return [];
  return [`${at} is ${next.join('|') || 'anything'} where it was ${old.join('|')}`];
}

/** Returns the JSON types of a schema, including its alternatives. */
function typesOf(schema: Json): string[] {
  const own = [schema['type'] ?? []].flat() as string[];
  return [...new Set([...own, ...alternativesOf(schema).flatMap(typesOf)])];
}

/** Returns the values that a schema lists, if any. */
function valuesOf(schema: Json): string[] {
  const own = [
    ...((schema['enum'] as unknown[]) ?? []),
    ...('const' in schema ? [schema['const']] : []),
  ];
  return [...own.map((it) => JSON.stringify(it)), ...alternativesOf(schema).flatMap(valuesOf)];
}

function alternativesOf(schema: Json): Json[] {
  return (schema['anyOf'] ?? schema['oneOf'] ?? []) as Json[];
}

function requiredOf(schema: Json): string[] {
  return (schema['required'] ?? []) as string[];
}

function propertiesOf(schema: Json): Record<string, Json> {
  return (schema['properties'] ?? {}) as Record<string, Json>;
}

/** Returns removed fields, which are now refused as unknown. */
function removedInputs(was: Json, is: Json, at: string): string[] {
  const gone = missing(Object.keys(propertiesOf(was)), Object.keys(propertiesOf(is)));
  return gone.map((it) => `${at}.${it} is gone`);
}

function missing(from: string[], of: string[]): string[] {
  // If no values are listed any more, every value is accepted.
  return from.filter((it) => !of.includes(it));
}

function inner(was: Json, is: Json, at: string, rule: Rule): string[] {
  const fields = Object.entries(propertiesOf(was)).flatMap(([name, old]) => {
    const next = propertiesOf(is)[name];
    return next ? rule(old, next, `${at}.${name}`) : [];
  });
  const [old, next] = [was['items'], is['items']] as [Json?, Json?];
  return [...fields, ...(old && next ? rule(old, next, `${at}[]`) : [])];
}
