import type { Config } from '../../core/config/config.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { type Access, levelOf, type RouteDeclaration } from '../plugins/access-rules.ts';
import { versionOf } from '../plugins/error-forms.ts';
import { bodyTypes } from '../request/body-rules.ts';
import { JSON_TYPES } from '../request/media-types.ts';
import { hasVersion, RESPONSE_HEADERS, type RouteFacts, requestHeaders } from './headers.ts';
import { type Components, contentOf, correctResponses, type Responses } from './responses.ts';
import { correctSchema, type Json, used, withKnownEnums } from './schema.ts';
import {
  ACCESS_TEXTS,
  DESCRIPTION,
  SECURITY,
  SECURITY_SCHEMES,
  scopeText,
  tagsOf,
} from './texts.ts';

interface Parameter extends Json {
  in: string;
  name: string;
  required: boolean;
  schema: Json;
}

interface Operation extends Json, RouteDeclaration {
  operationId: string;
  parameters?: Parameter[];
  /** Parameters that the handler itself reads. */
  'x-parameters'?: Parameter[];
  requestBody?: unknown;
  responses: Responses;
}

/** The generator's document: complete, but partly in a form that clients misread. */
export interface Generated {
  paths: Record<string, Record<string, Operation>>;
}

/** Facts for the document that the generator lacks. */
export interface Facts {
  version: string;
  registration: Config['registration'];
  definitions: readonly Definition[];
  /** The schemas of a route's body and query; the path is a pattern such as `/items/:item_id`. */
  schemasOf(method: string, path: string): { body?: unknown; query?: unknown };
}

/** Returns the published document: the generated one with all corrections. */
export function documentOf({ paths }: Generated, facts: Facts): Json {
  const components: Components = { schemas: {}, responses: {}, examples: {} };
  const { schemas } = components;
  const corrected = Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      correctPath(path, operations, facts, components),
    ]),
  );
  const known = withKnownEnums(corrected, schemas);
  const license = { name: 'MIT', identifier: 'MIT' };
  return {
    openapi: '3.1.2',
    info: { title: 'Hutch', version: facts.version, description: DESCRIPTION, license },
    servers: [{ url: '/' }],
    tags: tagsOf(facts.definitions),
    security: SECURITY,
    paths: known,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: RESPONSE_HEADERS,
      responses: components.responses,
      examples: components.examples,
      schemas: used(schemas, [known, components.responses]),
    },
  };
}

type Route = Pick<RouteFacts, 'method' | 'path' | 'isPatched'>;

function correctPath(
  path: string,
  operations: Record<string, Operation>,
  { registration, schemasOf }: Facts,
  components: Components,
): Json {
  const isPatched = 'patch' in operations;
  const pattern = path.replace(/\{(\w+)\}/g, ':$1');
  const corrected = Object.entries(operations).map(([name, operation]) => {
    const route: Route = { method: name.toUpperCase(), path: pattern, isPatched };
    const { body, query } = schemasOf(route.method, pattern);
    const types = bodyTypes(route.method, operation.body);
    return [
      name,
      {
        ...correctOperation(withOpenQuery(operation, query), route, components),
        ...securityOf(operation.access, registration),
        ...correctBody(body, types, route, components.schemas),
      },
    ];
  });
  return Object.fromEntries(corrected);
}

/** Returns the credentials of an operation if they differ from the document's default. */
function securityOf(access: Access, registration: Config['registration']) {
  const level = levelOf(access, registration);
  if (level === 'public') return { security: [] };
  return level === 'optional' ? { security: [{}, ...SECURITY] } : {};
}

function correctOperation(operation: Operation, route: Route, components: Components) {
  const { parameters: generated = [], 'x-parameters': extra = [], ...declared } = operation;
  const {
    access,
    scope,
    sends = [],
    responseTypes = JSON_TYPES,
    takesKey = false,
    needsAccount: _needsAccount,
    sparse,
    isProbe: _isProbe,
    isBeforeSecondFactor: _isBefore,
    body: _body,
    ...others
  } = declared;
  const { requestBody: _, responses, description, ...rest } = others;
  const facts = {
    ...route,
    statuses: Object.keys(responses),
    sends,
    responseTypes,
    takesKey,
    sparse,
    hasVersion: (status: string) => hasVersion(responses[status]),
  };
  const parameters = [...generated, ...extra, ...requestHeaders(facts)];
  return {
    ...rest,
    description: [description, ACCESS_TEXTS[access], scopeText(access, scope)]
      .filter(Boolean)
      .join('\n\n'),
    ...(parameters.length > 0 && {
      parameters: parameters.map((it) => correctParameter(it, components.schemas)),
    }),
    responses: correctResponses(responses, facts, components),
  };
}

/** Declares the query of a record, whose names the document cannot know: any name, each a text. */
function withOpenQuery(operation: Operation, query: unknown): Operation {
  const isOpen = typeof query === 'object' && query !== null && 'patternProperties' in query;
  if (!isOpen) return operation;
  const examples = [{ city: 'Paris' }];
  const schema = { type: 'object', additionalProperties: { type: 'string' }, examples };
  const description = 'The parameters that the source defines, by name.';
  const form = { name: 'parameters', in: 'query', required: false, style: 'form', explode: true };
  return {
    ...operation,
    parameters: [...(operation.parameters ?? []), { ...form, description, schema }],
  };
}

/** Returns a parameter in the form that clients read. One with a default is optional. */
function correctParameter({ schema, ...rest }: Parameter, schemas: Json): Json {
  const required = rest.in === 'path' || (rest.required && !('default' in schema));
  const { 'x-style': style, 'x-explode': explode, description: own, ...bare } = schema;
  const spread = style !== undefined && { style, explode };
  const description = rest['description'] ?? own;
  const corrected = withDefaultInComponent(correctSchema(bare, schemas) as Json, schemas);
  return { ...rest, ...spread, description, required, schema: corrected };
}

/** Moves a default next to a reference into the referenced schema: the Rust generator misreads it otherwise. */
function withDefaultInComponent(schema: Json, schemas: Json): Json {
  const { default: value, ...reference } = schema;
  const name = String(reference['$ref'] ?? '').replace('#/components/schemas/', '');
  if (value === undefined || !(name in schemas)) return schema;
  schemas[name] = { ...(schemas[name] as Json), default: value };
  return reference;
}

/** Returns the body of an operation. v1 ignores unknown fields, v2 refuses them. */
function correctBody(
  body: unknown,
  types: readonly string[],
  { path }: Route,
  schemas: Json,
): Json {
  if (typeof body !== 'object' || body === null) return {};
  const { additionalProperties, ...open } = body as Json;
  const isStrict =
    versionOf(path) === 'v2' && 'properties' in open && additionalProperties !== true;
  const own = isStrict ? { ...open, additionalProperties: false } : open;
  return { requestBody: { required: true, content: contentOf(types, own, schemas) } };
}
