import { STATUS_CODES } from 'node:http';
import { SPARSE_TYPE } from '../../schemas/resources/document.ts';
import { versionOf } from '../plugins/error-forms.ts';
import { type RouteFacts, responseHeaders } from './headers.ts';
import { correctSchema, type Json } from './schema.ts';

/** Responses by status, as the generator writes them. */
export type Responses = Record<
  string,
  { description: string; content?: Record<string, { schema: Json }> }
>;

/** Responses of the HTTP parser itself; no route sees these requests. */
const FROM_PARSER = {
  431: { description: 'The request line and headers exceed 16 KiB; the response has no body' },
};

export interface Components {
  schemas: Json;
  responses: Json;
  /** Examples of problems, by their code. */
  examples: Record<string, { summary: string; value: ProblemExample }>;
}

interface ProblemExample {
  code: string;
  title: string;
}

/** Returns the responses of an operation as the document declares them. Problems are shared. */
export function correctResponses(
  responses: Responses,
  route: RouteFacts,
  components: Components,
): Json {
  const entries = Object.entries(responses).map(([status, { content }]) => {
    const headers = responseHeaders(route, status);
    const description = STATUS_CODES[status] ?? status;
    if (['204', '304'].includes(status)) return [status, { description, headers }];
    const schema = Object.values(content ?? {})[0]?.schema ?? {};
    const isError = Number(status) >= 400;
    const isProblem = isError && versionOf(route.path) === 'v2';
    if (!isProblem) {
      const content = isError
        ? errorContent(schema, components.schemas)
        : {
            ...contentOf(route.responseTypes, schema, components.schemas),
            ...(status === '200' && sparseContent(route, components.schemas)),
          };
      return [status, { description, headers, content }];
    }
    const name = String(schema['title']);
    components.responses[name] ??= {
      description,
      headers,
      content: problemContent(schema, components),
    };
    return [status, { $ref: `#/components/responses/${name}` }];
  });
  return { ...Object.fromEntries(entries), ...FROM_PARSER };
}

/** Returns a problem with an example for each of its codes. Examples are shared. */
function problemContent({ examples = [], ...schema }: Json, components: Components): Json {
  const own = (examples as ProblemExample[]).map((value) => {
    components.examples[value.code] ??= { summary: value.title, value };
    return [value.code, { $ref: `#/components/examples/${value.code}` }];
  });
  const corrected = correctSchema(schema, components.schemas);
  return {
    'application/problem+json': { schema: corrected, examples: Object.fromEntries(own) },
  };
}

/** Returns an error of v1 with examples, named after their texts. */
function errorContent({ examples = [], ...schema }: Json, schemas: Json): Json {
  const own = (examples as { detail: unknown }[]).map((value) => {
    const text = typeof value.detail === 'string' ? value.detail : 'validation';
    const name = text.toLowerCase().replace(/[^a-z0-9]+/g, '_');
    return [name, { summary: text, value }];
  });
  const corrected = correctSchema(schema, schemas);
  return {
    'application/json': {
      schema: corrected,
      ...(own.length > 0 && { examples: Object.fromEntries(own) }),
    },
  };
}

/** Returns the sparse form. It follows the whole form, because some generators read only the first media type. */
function sparseContent({ sparse }: RouteFacts, schemas: Json): Json {
  return sparse ? contentOf([SPARSE_TYPE], sparse, schemas) : {};
}

/** Returns the same schema for each of `types`. */
export function contentOf(types: readonly string[], schema: unknown, schemas: Json): Json {
  const corrected = correctSchema(schema, schemas);
  return Object.fromEntries(types.map((type) => [type, { schema: corrected }]));
}
