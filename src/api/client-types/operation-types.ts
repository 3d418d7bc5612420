import { commentOf, keyOf, type Schema, typeOf, unionOf } from './schema-types.ts';

type Content = Record<string, { schema?: Schema }>;

export interface Response {
  $ref?: string;
  content?: Content;
}

export interface Parameter {
  in: string;
  name: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

/** An operation of the OpenAPI document; only the parts that its type needs. */
export interface Operation {
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Content };
  responses: Record<string, Response>;
}

export interface OperationContext {
  responses: Record<string, Response>;
  /** The type of `where`, if the operation is a list. */
  where: string;
  /** The type of the events that the operation sends. */
  event: string;
}

/** The media types whose bodies the client parses as JSON. */
const JSON_TYPE = /^application\/([\w.-]+\+)?json$/;
const SPARSE_TYPE = /sparse\+json$/;

/** Returns a member of a route's type: the method as the client calls it. */
export function methodType(method: string, operation: Operation, context: OperationContext) {
  const { summary, description, requestBody } = operation;
  const about = commentOf([summary, description].filter(Boolean).join('\n\n'));
  const responses = responsesType(operation, context);
  const query = queryType(operation.parameters ?? [], context);
  const isRead = method === 'get' || method === 'head';
  if (isRead && isSparse(operation)) return `${about}${method}: SparseGet<${responses}, ${query}>;`;
  const mark = query.startsWith('{ query:') ? '' : '?';
  const options = `options${mark}: CallOptions${query === 'unknown' ? '' : ` & ${query}`}`;
  const body = isRead ? '' : `${bodyParameter(requestBody)}, `;
  return `${about}${method}: (${body}${options}) => Promise<Answer<${responses}>>;`;
}

function bodyParameter(body: Operation['requestBody']): string {
  if (!body) return 'body?: undefined';
  const types = Object.entries(body.content).map(([type, { schema = {} }]) =>
    JSON_TYPE.test(type) ? typeOf(schema) : 'Upload',
  );
  return `body${body.required === false ? '?' : ''}: ${unionOf(types)}`;
}

function isSparse({ responses }: Operation): boolean {
  return Object.keys(responses['200']?.content ?? {}).some((type) => SPARSE_TYPE.test(type));
}

function responsesType({ responses }: Operation, context: OperationContext): string {
  const members = Object.entries(responses)
    .filter(([status]) => /^[245]\d\d$/.test(status))
    .map(([status, response]) => [status, responseType(response, context)] as const)
    .filter(([status, type]) => Number(status) < 400 || type !== 'null');
  return `{\n${members.map(([status, type]) => `${status}: ${type};`).join('\n')}\n}`;
}

function responseType(response: Response, context: OperationContext): string {
  const { content = {} } = resolved(response, context);
  const types = Object.entries(content)
    .filter(([type]) => !SPARSE_TYPE.test(type))
    .map(([type, { schema = {} }]) => contentType(type, schema, context));
  return types.length === 0 ? 'null' : unionOf(types);
}

function contentType(type: string, schema: Schema, { event }: OperationContext): string {
  if (type === 'application/problem+json') return problemType(schema);
  if (JSON_TYPE.test(type)) return typeOf(schema);
  if (type === 'text/event-stream') return `AsyncGenerator<${event}, void, unknown>`;
  return type === 'text/plain' ? 'string' : 'ReadableStream<Uint8Array>';
}

function problemType({ properties = {} }: Schema): string {
  const { code } = properties;
  return code?.enum ? `Problem<${typeOf({ enum: code.enum })}>` : 'Problem';
}

function resolved({ $ref, ...own }: Response, { responses }: OperationContext): Response {
  return $ref === undefined ? own : (responses[$ref.slice($ref.lastIndexOf('/') + 1)] ?? {});
}

/** Returns `{ query: … }`, with a question mark if all parameters are optional, or `unknown`. */
function queryType(parameters: readonly Parameter[], { where }: OperationContext): string {
  const own = parameters.filter((it) => it.in === 'query');
  if (own.length === 0) return 'unknown';
  const members = own.map(({ name, required = false, description, schema }) => {
    const type = name === 'where' ? where : parameterType(name, schema);
    return `${commentOf(description)}${keyOf(name)}${required ? '' : '?'}: ${type};`;
  });
  const mark = own.some(({ required }) => required) ? '' : '?';
  return `{ query${mark}: {\n${members.join('\n')}\n} }`;
}

/** Returns the type of a parameter: a list may be sent as one value, and a filter in any plain type. */
function parameterType(name: string, schema: Schema): string {
  if (name.startsWith('filter[') && schema.enum === undefined && schema.$ref === undefined) {
    return 'string | number | boolean';
  }
  if (schema.type !== 'array') return typeOf(schema);
  const item = typeOf(schema.items ?? {});
  return `${item} | readonly (${item})[]`;
}
