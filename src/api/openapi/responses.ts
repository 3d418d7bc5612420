import { STATUS_CODES } from 'node:http';
import { answerTypes } from '../media-types.ts';
import { type RouteFacts, responseHeaders } from './headers.ts';
import { correctSchema, type Json } from './schema.ts';

/** Responses by status, as the generator writes them. */
export type Responses = Record<
  string,
  { description: string; content?: Record<string, { schema: Json }> }
>;

/** What the HTTP parser answers by itself: no route sees the request. */
const FROM_PARSER = {
  431: { description: 'The request line and headers exceed 16 KiB; the response has no body' },
};

export interface Components {
  schemas: Json;
  responses: Json;
}

/** The responses of an operation as the document declares them; problems are shared. */
export function correctResponses(
  responses: Responses,
  route: RouteFacts,
  { schemas, responses: shared }: Components,
): Json {
  const entries = Object.entries(responses).map(([status, { content }]) => {
    const headers = responseHeaders(route, status);
    const description = STATUS_CODES[status] ?? status;
    if (status === '204') return [status, { description, headers }];
    const schema = Object.values(content ?? {})[0]?.schema ?? {};
    const isProblem = Number(status) >= 400 && isOfV2(route.path);
    if (!isProblem) {
      const types = answerTypes(`${route.method} ${route.path}`);
      return [status, { description, headers, content: contentOf(types, schema, schemas) }];
    }
    const name = `Problem${status}`;
    shared[name] ??= { description, headers, content: problemContent(schema, schemas) };
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return { ...Object.fromEntries(entries), ...FROM_PARSER };
}

function isOfV2(path: string): boolean {
  return path.startsWith('/api/v2/');
}

function problemContent({ examples, ...schema }: Json, schemas: Json): Json {
  const [example] = (examples ?? []) as unknown[];
  return { 'application/problem+json': { schema: correctSchema(schema, schemas), example } };
}

/** The same schema for each of `types`. */
export function contentOf(types: readonly string[], schema: unknown, schemas: Json): Json {
  const corrected = correctSchema(schema, schemas);
  return Object.fromEntries(types.map((type) => [type, { schema: corrected }]));
}
