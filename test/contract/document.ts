/** What of an OpenAPI document is compared. */
export type Json = Record<string, unknown>;

export interface Parameter {
  in: string;
  name: string;
  required?: boolean;
  schema: Json;
}

export interface Operation {
  security?: Json[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

/** The operations of one version by `METHOD /path`, whole: nothing is referred to elsewhere. */
export type Contract = Record<string, Operation>;

export type Version = 'v1' | 'v2';

/** Of an OpenAPI document, what is read here. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json };
}

/** What belongs to no version, the health checks, is kept as v2's. */
export function contractOf(document: Document, version: Version): Contract {
  const paths = Object.entries(document.paths);
  const own = paths.filter(([path]) => path.startsWith('/api/v1/') === (version === 'v1'));
  const entries = own.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => [
      `${method.toUpperCase()} ${path}`,
      inlined(compared(it), document.components.schemas),
    ]),
  );
  return sorted(Object.fromEntries(entries)) as Contract;
}

/** What an error looks like is one promise for all, and what a header holds: they are left out. */
function compared({ security, parameters, requestBody, responses }: Operation): Operation {
  return {
    ...(security && { security }),
    ...(parameters && { parameters }),
    ...(requestBody && { requestBody }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, it]) => [
        status,
        status < '400' && it.content ? { content: it.content } : {},
      ]),
    ),
  };
}

function inlined(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(each, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...rest } = value as Json;
  if (typeof $ref === 'string') return inlined(schemas[$ref.split('/').at(-1) ?? ''], schemas);
  return Object.fromEntries(Object.entries(rest).map(([key, it]) => [key, inlined(it, schemas)]));
}

/** The same text for the same contract, in whatever order it was made. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, it]) => [key, sorted(it)]));
}
