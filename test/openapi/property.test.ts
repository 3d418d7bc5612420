import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { createLeaks } from '../leaks.ts';
import { ADMIN, isBinary, serve } from '../process/hutch.ts';
import { tempDir, testApp } from '../support.ts';
import { invalidValues, type Schema, validValues } from './schema-values.ts';

/** Cases an operation, half of them valid: `FUZZ_CASES=5000 bun test test/openapi/property`. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 500);

interface Parameter {
  name: string;
  in: 'path' | 'query';
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

/** What the operations are sent to, as an admin. */
interface Target {
  send(method: string, path: string, init: Init): Promise<Response>;
  close(): Promise<void>;
}

interface Init {
  body?: string;
  headers?: Record<string, string>;
}

interface Input {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  body: unknown;
}

const { operations, components } = await readDocument();
const ajv = new Ajv2020({ strict: false, validateFormats: true });
addFormats(ajv);
const validators = new Map<Schema, ReturnType<typeof ajv.compile>>();

let t: Target;

// A new session for each: some operations end the one that they are called with.
beforeEach(async () => {
  t = isBinary ? await binaryTarget() : await appTarget();
});

afterEach(() => t.close());

for (const it of operations) {
  describe(`${it.method} ${it.path}`, () => {
    // proves: input.every-field-of-every-route-has-a-schema, 1.2.4
    test('valid input gets a declared answer that fits its schema', async () => {
      await forAll(validInput(it), takesInput(it) ? CASES / 2 : CASES, async (input) => {
        await expectDeclared(it, await send(it, input), input);
      });
    }, 120_000);

    if (!takesInput(it)) return;
    // proves: input.every-field-of-every-route-has-a-schema, input.role-scope-sort-action
    // proves: calls-out.the-base-url-of-a-source-get-api, 2.2.1, 2.2.2
    test('invalid input gets a declared 4xx', async () => {
      await forAll(invalidInput(it), CASES / 2, async (input) => {
        const answer = await send(it, input);
        expect(answer.status, JSON.stringify(input)).toBeWithin(400, 500);
        await expectDeclared(it, answer, input);
      });
    }, 120_000);
  });
}

function forAll(
  inputs: fc.Arbitrary<Input>,
  cases: number,
  check: (input: Input) => Promise<void>,
) {
  return fc.assert(fc.asyncProperty(inputs, check), { numRuns: Math.ceil(cases) });
}

async function appTarget(): Promise<Target> {
  const app = await testApp({ leaksOf: createLeaks });
  const { token } = await app.signUp('root', 'admin');
  return {
    send: (method, path, init) => app.request(method, path, { ...init, token }),
    close: () => app[Symbol.asyncDispose](),
  };
}

async function binaryTarget(): Promise<Target> {
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  const server = await serve(tempDir(), { env, leaksOf: createLeaks });
  const authorization = `Bearer ${await server.signIn(ADMIN.username, ADMIN.password)}`;
  return {
    send: (method, path, init) => {
      const headers = { authorization, ...init.headers };
      return fetch(`${server.url}${path}`, { ...init, method, headers });
    },
    close: () => server[Symbol.asyncDispose](),
  };
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
  const { responses: shared } = document.components;
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
      // A header changes nothing of what is judged here.
      parameters: it.parameters?.filter((each) => (each.in as string) !== 'header'),
    })),
  );
  return { operations: all as Operation[], components: document.components };
}

function takesInput({ parameters = [], requestBody }: Operation): boolean {
  return parameters.length > 0 || requestBody !== undefined;
}

function bodyOf({ requestBody }: Operation): { type: string; schema: Schema } | undefined {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  if (!type || !content) return undefined;
  const schema = resolve(content.schema) as Schema;
  if (!schema.properties && schema.type !== 'string')
    throw new Error(`The document does not say what ${type} holds.`);
  return { type, schema };
}

/** The schema with what it refers to in its place, at any depth. */
function resolve(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value)
    return resolve(components.schemas[String(value.$ref).split('/').at(-1) ?? '']);
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, resolve(it)]));
}

function validInput(operation: Operation): fc.Arbitrary<Input> {
  const section = (where: 'path' | 'query') => {
    const own = (operation.parameters ?? []).filter((it) => it.in === where);
    const model = Object.fromEntries(own.map(({ name, schema }) => [name, validParameter(schema)]));
    const requiredKeys = own.filter(({ required }) => required).map(({ name }) => name);
    return fc.record(model, { requiredKeys: requiredKeys as never[] });
  };
  const body = bodyOf(operation);
  return fc.record({
    path: section('path'),
    query: section('query'),
    body: body ? validValues(body.schema) : fc.constant(undefined),
  });
}

/** Small numbers as well, so that some ids exist. */
function validParameter(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === 'object') return deepObject(schema);
  if (schema.type !== 'integer') return validValues(schema);
  const { minimum = 0, maximum = 2 ** 31 } = schema;
  const small = fc.integer({ min: Math.max(minimum, 0), max: Math.min(maximum, 30) });
  return fc.oneof(small, validValues(schema));
}

/** Its names are open: what the document gives as an example, and anything else. */
function deepObject({ examples = [] }: Schema): fc.Arbitrary<unknown> {
  const text = fc.string({ unit: 'binary', maxLength: 5 });
  return fc.oneof(fc.constantFrom(...examples), fc.dictionary(text, fc.dictionary(text, text)));
}

function invalidInput(operation: Operation): fc.Arbitrary<Input> {
  const body = bodyOf(operation);
  // Of what is a text as a whole, each line is judged: none makes the request a wrong one.
  const isText = body?.schema.type === 'string';
  const parameters = operation.parameters ?? [];
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

/** What stays wrong when it is written as text. */
function invalidParameter(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.type === 'array') return fc.constantFrom([''], ['x'.repeat(2049)]);
  // Nearly every text is one that a text may be.
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

/** In a form everything is text: only length and absence can be wrong. */
function isWrongForm(body: unknown): boolean {
  const { username, password } = (body ?? {}) as Record<string, unknown>;
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  return !isText(username) || !isText(password);
}

function send(operation: Operation, { path, query, body }: Input): Promise<Response> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const parameter = operation.parameters?.find((it) => it.name === name);
    const isOpen = parameter?.style === 'form' && parameter.schema.type === 'object';
    if (!isOpen) appendTo(search, name, value);
    // Its names are those of parameters.
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
  const init = type ? { body: payload ?? '', headers: { 'content-type': type } } : {};
  return t.send(operation.method, `${filled}?${search}`, init);
}

/** An object is spread over names in brackets, as the style deepObject has it. */
function appendTo(search: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) for (const each of value) appendTo(search, name, each);
  else if (typeof value !== 'object' || value === null) search.append(name, String(value));
  else for (const [key, each] of Object.entries(value)) appendTo(search, `${name}[${key}]`, each);
}

async function expectDeclared(operation: Operation, answer: Response, input: Input): Promise<void> {
  const context = `${answer.status} for ${JSON.stringify(input)}`;
  const isUpstream = [502, 503].includes(answer.status) && operation.path.includes('external');
  expect(answer.status < 500 || isUpstream, context).toBe(true);
  const declared = operation.responses[answer.status];
  expect(declared, `${context} is not declared`).toBeDefined();
  const sent = Object.keys(components.headers).filter((name) => answer.headers.has(name));
  const declaredHeaders = Object.keys(declared?.headers ?? {});
  expect(
    sent.filter((name) => !declaredHeaders.includes(name)),
    context,
  ).toEqual([]);
  // Bun itself answers 431 to a head that is too long, and sends no body.
  if (answer.status === 204 || answer.status === 431) return;
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  expect(Object.keys(declared?.content ?? {})).toContain(type);
  // A stream of events has no end to wait for.
  if (type === 'text/event-stream') return answer.body?.cancel();
  // Lines of JSON are no JSON.
  if (!/[/+]json$/.test(type)) return;
  const schema = declared?.content?.[type]?.schema ?? {};
  const validate = validators.get(schema) ?? ajv.compile({ ...schema, components } as object);
  validators.set(schema, validate);
  const body = await answer.json();
  expect(
    validate(body),
    `${context} ${JSON.stringify(validate.errors)} ${JSON.stringify(body)}`,
  ).toBe(true);
}
