/** The compared parts of an OpenAPI document. */
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
  responses: Record<string, OperationResponse>;
}

export interface OperationResponse {
  content?: Record<string, { schema: Json }>;
  /** The codes of a problem. */
  codes?: string[];
}

/** Operations by `METHOD /path`, without references. */
export type Contract = Record<string, Operation>;

/** The parts of an OpenAPI document that are read here. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json; responses: Json };
}

/** Returns the contract of the paths of `document` that `isPart` selects. */
export function contractOf(document: Document, isPart: (path: string) => boolean): Contract {
  const own = Object.entries(document.paths).filter(([path]) => isPart(path));
  const entries = own.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => [
      `${method.toUpperCase()} ${path}`,
      compared(it, document.components),
    ]),
  );
  return sorted(Object.fromEntries(entries)) as Contract;
}

/**
 * Returns the compared parts of an operation. Headers and the bodies of errors are the same for all
 * operations and omitted, except the codes of errors.
 */
function compared(operation: Operation, { schemas, responses: shared }: Document['components']) {
  const { security, parameters, requestBody, responses } = operation;
  return {
    ...(security && { security }),
    ...(parameters && { parameters: inlined(parameters, schemas) }),
    ...(requestBody && { requestBody: inlined(requestBody, schemas) }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, it]) => {
        const response = '$ref' in it ? shared[String(it.$ref).split('/').at(-1) ?? ''] : it;
        const { content } = inlined(response, schemas) as OperationResponse;
        if (status >= '400') return [status, codesOf(content)];
        return [status, content ? { content } : {}];
      }),
    ),
  };
}

/** Returns the sorted codes of a problem; v1 has none. */
function codesOf(content: OperationResponse['content']): OperationResponse {
  const { code } = (content?.['application/problem+json']?.schema['properties'] ?? {}) as {
    code?: { enum: string[] };
  };
  return code ? { codes: code.enum.toSorted() } : {};
}

function inlined(value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(each, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...rest } = value as Json;
  if (typeof $ref === 'string') return inlined(schemas[$ref.split('/').at(-1) ?? ''], schemas);
  return Object.fromEntries(Object.entries(rest).map(([key, it]) => [key, inlined(it, schemas)]));
}

/** Sorts keys, so that equal contracts have equal text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, it]) => [key, sorted(it)]));
}
