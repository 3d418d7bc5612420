import { describe, expect, test } from 'bun:test';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { testApp } from '../support.ts';
import { fuzzTarget, ROLES, type Role, type Target } from './fuzz-target.ts';
import { invalidValues, type Schema, validValues } from './schema-values.ts';

/** The cases per operation and role, half of them valid: `FUZZ_CASES=5000 bun run fuzz`. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 100);
/** An operation that hashes a password is the slowest, with about 50 ms per case. */
const TIMEOUT_MS = Math.max(120_000, CASES * 240);

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  style?: string;
  schema: Schema;
}

interface Operation {
  method: string;
  path: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, DeclaredResponse>;
}

interface DeclaredResponse {
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: Schema }>;
}

interface Input {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  header: Record<string, string | undefined>;
  body: unknown;
}

const { operations, components } = await readDocument();
const ajv = new Ajv2020({ strict: false, validateFormats: true });
addFormats(ajv);
const validators = new Map<Schema, ReturnType<typeof ajv.compile>>();

for (const role of ROLES) {
  for (const it of operations)
    describe(`as ${role}, ${it.method} ${it.path}`, () => fuzz(role, it));
}

function fuzz(role: Role, it: Operation): void {
  const withTarget = (check: (target: Target) => Promise<void>) => async () => {
    await using target = await fuzzTarget(role);
    await check(target);
  };

  // proves: input.every-field-of-every-route-has-a-schema, 1.2.4
  test(
    'valid input gets a declared response that matches its schema',
    withTarget(async (target) => {
      await forAll(validInput(it), canBeInvalid(it) ? CASES / 2 : CASES, async (input) => {
        await expectDeclared(it, await send(target, it, input), input);
      });
    }),
    TIMEOUT_MS,
  );

  if (!canBeInvalid(it)) return;
  // proves: input.every-field-of-every-route-has-a-schema, input.role-scope-sort-action
  // proves: outbound-calls.the-base-url-of-a-source-get-api, 2.2.1, 2.2.2
  test(
    'invalid input gets a declared 4xx',
    withTarget(async (target) => {
      await forAll(invalidInput(it), CASES / 2, async (input) => {
        const response = await send(target, it, input);
        expect(response.status, JSON.stringify(input)).toBeWithin(400, 500);
        await expectDeclared(it, response, input);
      });
    }),
    TIMEOUT_MS,
  );
}

function forAll(
  inputs: fc.Arbitrary<Input>,
  cases: number,
  check: (input: Input) => Promise<void>,
) {
  return fc.assert(fc.asyncProperty(inputs, check), { numRuns: Math.ceil(cases) });
}

async function readDocument() {
  await using app = await testApp();
  const document = (await (await app.request('GET', '/openapi.json')).json()) as {
    paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
    components: {
      schemas: Record<string, Schema>;
      responses: Record<string, DeclaredResponse>;
      headers: Record<string, unknown>;
    };
  };
  const { responses: shared, schemas } = document.components;
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({
      ...it,
      path,
      method: method.toUpperCase(),
      responses: Object.fromEntries(
        Object.entries(it.responses).map(([status, response]) => [
          status,
          '$ref' in response ? shared[String(response.$ref).split('/').at(-1) ?? ''] : response,
        ]),
      ),
      parameters: it.parameters?.map((each) => ({
        ...each,
        schema: resolve(each.schema, schemas) as Schema,
      })),
    })),
  );
  return { operations: all as Operation[], components: document.components };
}

/** Returns true if a request can be invalid, apart from its headers. */
function canBeInvalid({ parameters = [], requestBody }: Operation): boolean {
  return requestBody !== undefined || parameters.some((it) => it.in !== 'header');
}

function bodyOf({ requestBody }: Operation): { type: string; schema: Schema } | undefined {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (!type || !content) return undefined;
  const schema = resolve(content.schema, components.schemas) as Schema;
  if (!schema.properties && schema.type !== 'string')
    throw new Error(`The document does not say what ${type} holds.`);
  return { type, schema };
}

/** Returns the schema with all references replaced by their targets. */
function resolve(value: unknown, schemas: Record<string, Schema>): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, schemas));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) {
    return resolve(schemas[String(value.$ref).split('/').at(-1) ?? ''], schemas);
  }
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, resolve(it, schemas)]));
}

function validInput(operation: Operation): fc.Arbitrary<Input> {
  const section = (where: 'path' | 'query') => {
    const own = (operation.parameters ?? []).filter((it) => it.in === where);
    const model = Object.fromEntries(own.map(({ name, schema }) => [name, validParameter(schema)]));
    const requiredKeys = own.filter(({ required }) => required).map(({ name }) => name);
    return fc.record(model, { requiredKeys: requiredKeys as never[] });
  };
  const headers = (operation.parameters ?? []).filter((it) => it.in === 'header');
  const body = bodyOf(operation);
  return fc.record({
    path: section('path'),
    query: section('query'),
    header: fc.record(
      Object.fromEntries(headers.map(({ name, schema }) => [name, validHeader(schema)])),
      { requiredKeys: [] },
    ),
    body: body ? validValues(body.schema) : fc.constant(undefined),
  });
}

/** Includes entity tags, because most headers contain them. */
function validHeader({ pattern = '^[ -~]*$', examples = [] }: Schema): fc.Arbitrary<string> {
  const known = [
    ...(examples as string[]),
    '*',
    '"v1"',
    'W/"v1"',
    '"v1", "v2"',
    '1',
    '9'.repeat(60),
  ];
  const text = fc.stringMatching(new RegExp(pattern)).map((it) => it.slice(0, 60));
  return fc.oneof(
    fc.constantFrom(...known).filter((it) => new RegExp(pattern).test(it)),
    text,
  );
}

/** Includes small numbers, so that some ids exist. */
function validParameter(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === 'object') return deepObject(schema);
  if (schema.type !== 'integer') return validValues(schema);
  const { minimum = 0, maximum = 2 ** 31 } = schema;
  const small = fc.integer({ min: Math.max(minimum, 0), max: Math.min(maximum, 30) });
  return fc.oneof(small, validValues(schema));
}

/** An object with any keys: the examples of the document and random ones. */
function deepObject({ examples = [] }: Schema): fc.Arbitrary<unknown> {
  const text = fc.string({ unit: 'binary', maxLength: 5 });
  return fc.oneof(fc.constantFrom(...examples), fc.dictionary(text, fc.dictionary(text, text)));
}

function invalidInput(operation: Operation): fc.Arbitrary<Input> {
  const body = bodyOf(operation);
  // Each line of a text body is validated separately, so none makes the request invalid.
  const isText = body?.schema.type === 'string';
  const parameters = (operation.parameters ?? []).filter((it) => it.in !== 'header');
  const wrong = parameters.map(({ name, in: where, schema }) =>
    fc.tuple(validInput(operation), invalidParameter(schema)).map(([input, bad]) => ({
      ...input,
      [where]: { ...input[where], [name]: bad },
    })),
  );
  const wrongBody = fc
    .tuple(validInput(operation), invalidValues(body?.schema ?? {}))
    .map(([input, bad]) => ({ ...input, body: bad }))
    .filter((input) => body?.type === 'application/json' || isWrongForm(input.body));
  return fc.oneof(...wrong, ...(body && !isText ? [wrongBody] : [])) as fc.Arbitrary<Input>;
}

/** Values that are still invalid as text. */
function invalidParameter(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === 'array') return fc.constantFrom([''], ['x'.repeat(2049)]);
  // Nearly every string is valid for a string parameter.
  if (schema.type === 'string') {
    return fc.constantFrom('a\u0000b', 'x'.repeat((schema.maxLength ?? 100) + 1));
  }
  const { minimum, maximum } = schema;
  const bounds = [minimum, maximum].flatMap((it, index) =>
    it === undefined || Math.abs(it) > 2 ** 52 ? [] : [fc.constant(index === 0 ? it - 1 : it + 1)],
  );
  return fc.oneof(
    fc.constantFrom('x', '1e3', '0x10', '1 1', '1.5', '１', '9007199254740993'),
    ...bounds,
  );
}

/** Returns true if a field of the form is empty or missing, because a form has only strings. */
function isWrongForm(body: unknown): boolean {
  const { username, password } = (body ?? {}) as Record<string, unknown>;
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  return !isText(username) || !isText(password);
}

function send(
  target: Target,
  operation: Operation,
  { path, query, header, body }: Input,
): Promise<Response> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const parameter = operation.parameters?.find((it) => it.name === name);
    const isOpen = parameter?.style === 'form' && parameter.schema.type === 'object';
    if (!isOpen) appendTo(search, name, value);
    // The keys are the names of parameters.
    else
      for (const [key, each] of Object.entries(value ?? {}))
        search.append(key, JSON.stringify(each));
  }
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(path[name])),
  );
  const type = bodyOf(operation)?.type;
  const form = () =>
    new URLSearchParams(
      Object.entries((body ?? {}) as Record<string, string>).filter(
        ([, value]) => typeof value === 'string',
      ),
    );
  const other = typeof body === 'string' ? body : form().toString();
  const payload = type === 'application/json' ? JSON.stringify(body) : other;
  const headers = { ...header, ...(type && { 'content-type': type }) };
  const init = { headers, ...(type && { body: payload ?? '' }) };
  return target.send(operation.method, `${filled}?${search}`, init);
}

/** Appends an object as names in brackets, which is the style deepObject. */
function appendTo(search: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) for (const each of value) appendTo(search, name, each);
  else if (typeof value !== 'object' || value === null) search.append(name, String(value));
  else for (const [key, each] of Object.entries(value)) appendTo(search, `${name}[${key}]`, each);
}

async function expectDeclared(
  operation: Operation,
  response: Response,
  input: Input,
): Promise<void> {
  const context = `${response.status} for ${JSON.stringify(input)}`;
  const isUpstream = [502, 503].includes(response.status) && operation.path.includes('external');
  expect(response.status < 500 || isUpstream, context).toBe(true);
  const declared = operation.responses[response.status];
  expect(declared, `${context} is not declared`).toBeDefined();
  const sent = Object.keys(components.headers).filter((name) => response.headers.has(name));
  const declaredHeaders = Object.keys(declared?.headers ?? {});
  expect(
    sent.filter((name) => !declaredHeaders.includes(name)),
    context,
  ).toEqual([]);
  // Bun itself sends 431 without a body if the head is too long.
  if ([204, 304, 431].includes(response.status)) return;
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  expect(Object.keys(declared?.content ?? {})).toContain(type);
  // An event stream never ends.
  if (type === 'text/event-stream') return response.body?.cancel();
  // JSON Lines are not JSON.
  if (!/[/+]json$/.test(type)) return;
  const schema = declared?.content?.[type]?.schema ?? {};
  const validate = validators.get(schema) ?? ajv.compile({ ...schema, components } as object);
  validators.set(schema, validate);
  const body = await response.json();
  expect(
    validate(body),
    `${context} ${JSON.stringify(validate.errors)} ${JSON.stringify(body)}`,
  ).toBe(true);
}
