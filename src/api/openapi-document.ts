import { STATUS_CODES } from 'node:http';
import type { Config } from '../core/config.ts';
import { type Access, levelOf } from './access-rules.ts';
import { answerTypes, bodyTypes } from './media-types.ts';
import { correctSchema, type Json, withKnownEnums } from './openapi-schema.ts';

interface Parameter extends Json {
  in: string;
  name: string;
  required: boolean;
  schema: Json;
}

interface Operation extends Json {
  operationId: string;
  access: Access;
  parameters?: Parameter[];
  /** Headers that a route reads by itself. */
  'x-parameters'?: Parameter[];
  requestBody?: unknown;
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

/** What the generator gives: right in what there is, wrong in how some of it is put. */
export interface Generated {
  paths: Record<string, Record<string, Operation>>;
}

const DESCRIPTION = `Accounts, items, what is popular, and outside APIs, from one binary.

v1 is wire-compatible with the FastAPI guide that Hutch re-creates; v2 is the contract we would
choose today: its errors are RFC 9457 problems.`;

const TAGS = [
  { name: 'auth', description: 'Signing up, in and out, and the sessions of that.' },
  { name: 'users', description: 'Accounts.' },
  { name: 'tokens', description: 'Personal access tokens.' },
  { name: 'login', description: 'Signing in.' },
  { name: 'items', description: 'What an app keeps, and what of it is popular.' },
  { name: 'external', description: 'Outside APIs, fetched many at once.' },
  { name: 'sources', description: 'Outside APIs that are called by name, and many at once.' },
  { name: 'system', description: 'This server itself.' },
];

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token from signing in.' },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-hutch',
    description: 'A session of a browser; hutch_session on a server without https.',
  },
  password: {
    type: 'oauth2',
    description: 'Signs in and uses the token.',
    flows: { password: { tokenUrl: '/api/v1/login/access-token', scopes: {} } },
  },
};

const SECURITY = [{ bearer: [] }, { cookie: [] }, { password: [] }];

/** What the HTTP parser answers by itself: no route sees the request. */
const FROM_PARSER = {
  431: { description: 'The request line and headers exceed 16 KiB; the response has no body' },
};

/** What the document says beside what is generated. */
export interface Facts {
  version: string;
  registration: Config['registration'];
  /** The schema of a route's body, `METHOD /path`. */
  bodyOf(route: string): unknown;
  queryOf(route: string): unknown;
}

/** The published document: the one place where the generated one is put right. */
export function documentOf({ paths }: Generated, facts: Facts): Json {
  const { version, registration, bodyOf, queryOf } = facts;
  const schemas: Json = {};
  const corrected: Json = {};
  for (const [path, operations] of Object.entries(paths)) {
    corrected[path] = Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => {
        const route = `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`;
        const body = correctBody(bodyOf(route), route, schemas);
        const security = securityOf(operation.access, registration);
        const known = withOpenQuery(operation, queryOf(route));
        return [method, { ...correctOperation(known, route, schemas), ...security, ...body }];
      }),
    );
  }
  const license = { name: 'MIT', identifier: 'MIT' };
  return {
    openapi: '3.1.2',
    info: { title: 'Hutch', version, description: DESCRIPTION, license },
    servers: [{ url: '/' }],
    tags: TAGS,
    security: SECURITY,
    paths: withKnownEnums(corrected, schemas),
    components: { securitySchemes: SECURITY_SCHEMES, schemas },
  };
}

/** Which credentials an operation takes, where that differs from the document's default. */
function securityOf(access: Access, registration: Config['registration']) {
  const level = levelOf(access, registration);
  if (level === 'public') return { security: [] };
  return level === 'optional' ? { security: [{}, ...SECURITY] } : {};
}

function correctOperation(operation: Operation, route: string, schemas: Json) {
  const { parameters: given = [], 'x-parameters': own = [], ...declared } = operation;
  const {
    access: _access,
    scope: _scope,
    isProbe: _isProbe,
    isBeforeSecondFactor: _isBefore,
    body: _body,
    ...others
  } = declared;
  const { requestBody: _, responses, ...rest } = others;
  const parameters = [...given, ...own];
  return {
    ...rest,
    ...(parameters.length > 0 && {
      parameters: parameters.map((it) => correctParameter(it, schemas)),
    }),
    responses: { ...correctResponses(responses, route, schemas), ...FROM_PARSER },
  };
}

/** A record is a query whose names the document cannot know: any of them, each a text. */
function withOpenQuery(operation: Operation, query: unknown): Operation {
  const isOpen = typeof query === 'object' && query !== null && 'patternProperties' in query;
  if (!isOpen) return operation;
  const examples = [{ city: 'Paris' }];
  const schema = { type: 'object', additionalProperties: { type: 'string' }, examples };
  const form = { name: 'parameters', in: 'query', required: false, style: 'form', explode: true };
  return { ...operation, parameters: [...(operation.parameters ?? []), { ...form, schema }] };
}

/** What has a default need not be given. */
function correctParameter({ schema, ...rest }: Parameter, schemas: Json): Json {
  const required = rest.in === 'path' || (rest.required && !('default' in schema));
  const { 'x-style': style, 'x-explode': explode, ...own } = schema;
  const spread = style !== undefined && { style, explode };
  return { ...rest, ...spread, required, schema: correctSchema(own, schemas) };
}

/** The media types that are read. v1 ignores fields that it does not know, v2 does not. */
function correctBody(body: unknown, route: string, schemas: Json): Json {
  if (typeof body !== 'object' || body === null) return {};
  const { additionalProperties, ...open } = body as Json;
  const isStrict =
    route.includes(' /api/v2/') && 'properties' in open && additionalProperties !== true;
  const own = isStrict ? { ...open, additionalProperties: false } : open;
  return { requestBody: { required: true, content: contentOf(bodyTypes(route), own, schemas) } };
}

function correctResponses(responses: Operation['responses'], route: string, schemas: Json): Json {
  const isV2 = route.includes(' /api/v2/');
  return Object.fromEntries(
    Object.entries(responses).map(([status, { content }]) => {
      const schema = Object.values(content ?? {})[0]?.schema ?? {};
      if (status === '204') return [status, { description: 'No Content' }];
      const isProblem = isV2 && Number(status) >= 400;
      const types = isProblem ? ['application/problem+json'] : answerTypes(route);
      const description = STATUS_CODES[status] ?? status;
      return [status, { description, content: contentOf(types, schema, schemas) }];
    }),
  );
}

function contentOf(types: readonly string[], schema: unknown, schemas: Json): Json {
  const corrected = correctSchema(schema, schemas);
  return Object.fromEntries(types.map((type) => [type, { schema: corrected }]));
}
