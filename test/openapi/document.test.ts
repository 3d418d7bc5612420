import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ERROR_FORMS } from '../../src/api/plugins/error-forms.ts';
import type { ErrorCode } from '../../src/core/exceptions.ts';
import { testApp } from '../support.ts';

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security?: unknown[];
  parameters?: { name: string; required: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<string, { $ref?: string; content?: Record<string, Media> }>;
}

interface Media {
  examples?: Record<string, { value: unknown }>;
}

async function operations() {
  const { paths } = await readDocument();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, it]) => ({
      name: `${method.toUpperCase()} ${path}`,
      ...it,
    })),
  );
}

interface Document {
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    headers: Record<string, object>;
    responses: Record<string, { content: Record<'application/problem+json', ProblemContent> }>;
    examples: Record<string, { value: object }>;
    schemas: Record<string, { enum?: ErrorCode[] }>;
  };
}

interface ProblemContent {
  schema: object;
  examples: Record<string, object>;
}

async function readDocument(): Promise<Document> {
  await using t = await testApp();
  return (await (await t.request('GET', '/openapi.json')).json()) as Document;
}

type Schema = Record<string, unknown>;

async function schemas(): Promise<Schema[]> {
  return schemasIn(await readDocument());
}

function schemasIn(value: unknown): Schema[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Schema];
  return [...own, ...Object.values(value).flatMap(schemasIn)];
}

describe('the document', () => {
  test('names each operation once, with a tag and a summary', async () => {
    const all = await operations();
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    for (const { name, summary, tags } of all) {
      expect({ name, tags: tags?.length, summary }).toMatchObject({ tags: 1 });
      expect(summary.length).toBeGreaterThan(5);
    }
  });

  test('declares these statuses and no others', async () => {
    const all = await operations();
    const statuses = all.map(
      ({ name, responses }) => `${name} ${Object.keys(responses).join(' ')}`,
    );
    expect(statuses.toSorted()).toMatchSnapshot();
  });

  test('declares these operations public and no others', async () => {
    const open = (await operations()).filter(({ security }) => security?.length === 0);
    expect(open.map(({ name }) => name).toSorted()).toEqual([
      'GET /api/v1/items/',
      'GET /api/v1/items/popular',
      'GET /api/v1/items/{item_id}',
      'GET /api/v2/auth/providers',
      'GET /api/v2/items/popular',
      'GET /api/v2/system/version',
      'GET /health/live',
      'GET /health/ready',
      'POST /api/v1/login/access-token',
      'POST /api/v1/users/',
      'POST /api/v2/auth/email/confirm',
      'POST /api/v2/auth/identities/login',
      'POST /api/v2/auth/identities/login/options',
      'POST /api/v2/auth/identities/return',
      'POST /api/v2/auth/login',
      'POST /api/v2/auth/passkeys/login',
      'POST /api/v2/auth/passkeys/login/options',
      'POST /api/v2/auth/password/forgot',
      'POST /api/v2/auth/password/reset',
      'POST /api/v2/auth/register',
      'POST /api/v2/auth/verification/confirm',
    ]);
  });

  test('declares integers as integers, and parameters with defaults as optional', async () => {
    const list = (await operations()).find(({ operationId }) => operationId === 'listItems');
    expect(list?.parameters).toEqual([
      expect.objectContaining({
        name: 'skip',
        required: false,
        schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 2 ** 31 - 1, default: 0 },
      }),
      expect.objectContaining({
        name: 'limit',
        required: false,
        schema: { type: 'integer', format: 'int32', minimum: 1, maximum: 100, default: 100 },
      }),
    ]);
  });

  test('has no parameter with a default beside a reference', async () => {
    const parameters = (await operations()).flatMap((each) => each.parameters ?? []);
    const references = parameters.filter(({ schema }) => '$ref' in (schema ?? {}));
    expect(references).not.toBeEmpty();
    expect(references.filter(({ schema }) => 'default' in (schema ?? {}))).toEqual([]);
  });

  test('has no integer that is also a string', async () => {
    expect(JSON.stringify(await operations())).not.toContain('"format":"integer"');
  });

  // proves: 2.1.1
  test('describes each body', async () => {
    const bodies = (await operations()).flatMap(({ operationId, requestBody }) =>
      requestBody ? [[operationId, Object.values(requestBody.content)[0]?.schema]] : [],
    );
    expect(bodies.length).toBeGreaterThan(3);
    for (const [name, schema] of bodies) {
      expect([name, schema]).toEqual([name, { $ref: expect.stringMatching(/^#\/components/) }]);
    }
  });

  // proves: input.body-form
  test('declares JSON bodies, merge patches, forms for signing in and lines for imports', async () => {
    const types = (await operations()).flatMap(({ operationId, requestBody }) =>
      requestBody ? [`${operationId} ${Object.keys(requestBody.content).join()}`] : [],
    );
    const forms = types.filter((it) => !it.endsWith(' application/json'));
    expect(forms.toSorted()).toEqual([
      'createAccessToken application/x-www-form-urlencoded,multipart/form-data',
      'importItems application/octet-stream,application/x-ndjson,application/jsonl,text/csv',
      'returnFromProvider application/x-www-form-urlencoded',
      ...[
        'updateAccount',
        'updateAccountUsage',
        'updateItemV2',
        'updateMe',
        'updateSource',
        'updateWebhook',
      ].map((id) => `${id} application/json,application/merge-patch+json`),
    ]);
    expect(types.length).toBeGreaterThan(4);
  });

  test('declares the errors of v2 as problems', async () => {
    const stats = (await operations()).find(({ operationId }) => operationId === 'getStats');
    expect(stats?.responses['429']).toEqual({ $ref: '#/components/responses/Problem429' });
  });

  test('has no schema that is only null', async () => {
    const all = await schemas();
    expect(all.length).toBeGreaterThan(500);
    const nulls = all.filter(({ type, enum: values, anyOf }) => {
      const isEmpty = [values, anyOf].some((it) => Array.isArray(it) && it.length === 0);
      return [type].flat().join() === 'null' || isEmpty || isDeepStrictEqual(values, [null]);
    });
    expect(nulls).toEqual([]);
  });

  test('declares a format for every number, which fits the range of every integer', async () => {
    const numbers = (await schemas()).filter(({ type }) =>
      [type].flat().some((it) => it === 'integer' || it === 'number'),
    );
    expect(numbers.length).toBeGreaterThan(100);
    for (const it of numbers) {
      const isWide = it.maximum === undefined || Math.abs(Number(it.maximum)) >= 2 ** 31;
      const isInteger = [it.type].flat().includes('integer');
      expect(it).toMatchObject({ format: isInteger ? (isWide ? 'int64' : 'int32') : 'double' });
    }
  });

  test('describes every operation, parameter, tag and header', async () => {
    const { paths, tags, components } = await readDocument();
    const all = Object.values(paths).flatMap((methods) => Object.values(methods));
    const parameters = all.flatMap((it) => it.parameters ?? []);
    expect(parameters.length).toBeGreaterThan(50);
    expect(parameters.filter(({ schema }) => 'description' in schema)).toEqual([]);
    for (const it of [...all, ...parameters, ...tags, ...Object.values(components.headers)]) {
      expect(it).toMatchObject({ description: expect.stringMatching(/^[A-Za-z0-9].*[^\s]/) });
    }
  });

  test('has a separate example for each code of a problem', async () => {
    const { responses, schemas: named, examples } = (await readDocument()).components;
    const problems = Object.entries(responses);
    expect(problems.length).toBeGreaterThan(10);
    for (const [name, { content }] of problems) {
      const { examples: own, schema } = content['application/problem+json'];
      const codes = named[`${name}Code`]?.enum ?? [];
      expect(schema).toEqual({ $ref: `#/components/schemas/${name}` });
      expect(Object.keys(own)).toEqual(codes);
      for (const code of codes) {
        const { v2: status, title } = ERROR_FORMS[code];
        expect(name).toStartWith(`Problem${status}`);
        expect(examples[code]?.value).toMatchObject({ code, status, title });
      }
    }
  });

  test('has examples in the format of FastAPI for each error of v1', async () => {
    const { paths } = await readDocument();
    const own = Object.entries(paths).filter(([path]) => path.startsWith('/api/v1/'));
    const errors = own
      .flatMap(([, methods]) => Object.values(methods))
      .flatMap(({ responses }) => Object.entries(responses))
      .filter(([status]) => status >= '400' && status !== '431');
    expect(errors.length).toBeGreaterThan(50);
    for (const [status, { content }] of errors) {
      const examples = Object.values(content?.['application/json']?.examples ?? {});
      const detail =
        status === '422'
          ? [{ type: expect.any(String), loc: expect.any(Array), msg: expect.any(String) }]
          : expect.any(String);
      expect(examples.length, status).toBeGreaterThan(0);
      for (const { value } of examples) expect(value).toEqual({ detail });
    }
  });

  test.each([
    ['GET', '/api/v1/items/7', '/api/v1/items/{item_id}'],
    ['GET', '/api/v1/users/1', '/api/v1/users/{user_id}'],
    ['POST', '/api/v1/items/', '/api/v1/items/'],
    ['POST', '/api/v1/login/access-token', '/api/v1/login/access-token'],
  ])('shows an actual response for %s %s', async (method, path, template) => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const attempts = [
      {},
      { token },
      { token, body: 'x', headers: { 'content-type': 'text/plain' } },
      { body: 'username=ada&password=wrong-password', headers: form },
    ];
    const { responses = {} } = (await readDocument()).paths[template]?.[method.toLowerCase()] ?? {};
    const results = await Promise.all(attempts.map((it) => t.request(method, path, it)));
    const refused = results.filter(({ status }) => [400, 401, 403, 404].includes(status));
    expect(refused.length).toBeGreaterThan(0);
    for (const response of refused) {
      const shown = responses[response.status]?.content?.['application/json']?.examples ?? {};
      const values = Object.values(shown).map(({ value }) => value);
      expect(values).toContainEqual(await response.json());
    }
  });

  test('lists the codes of each operation and status', async () => {
    const { paths, components } = await readDocument();
    const codes = (path: string, method: string, status: number) => {
      const { $ref = '' } = paths[path]?.[method]?.responses[status] ?? {};
      return components.schemas[`${$ref.split('/').at(-1)}Code`]?.enum;
    };
    expect(codes('/api/v2/auth/login', 'post', 401)).toEqual([
      'bad_credentials',
      'second_factor_required',
    ]);
    expect(codes('/api/v2/system/version', 'get', 400)).toEqual([
      'malformed_request',
      'invalid_query',
    ]);
    expect(codes('/api/v2/items/{item_id}', 'patch', 412)).toEqual(['version_mismatch']);
  });

  test('names every enum of more than one value, and has no constants beside enums', async () => {
    const { components, ...rest } = await readDocument();
    const named = Object.values(components.schemas);
    expect(named.filter((it) => 'enum' in it).length).toBeGreaterThan(10);
    const inner = [...named.flatMap((it) => Object.values(it)), rest].flatMap(schemasIn);
    const inline = inner.filter(({ enum: values }) => Array.isArray(values) && values.length > 1);
    expect(inline).toEqual([]);
    expect(inner.filter((it) => 'const' in it || 'patternProperties' in it)).toEqual([]);
  });

  test('passes an OpenAPI linter', async () => {
    await using t = await testApp();
    const dir = t.deps.config.dataDir;
    await Bun.write(
      join(dir, 'openapi.json'),
      await (await t.request('GET', '/openapi.json')).text(),
    );
    const lint = Bun.spawn(
      ['bun', '--bun', 'redocly', 'lint', join(dir, 'openapi.json'), '--config', 'redocly.yaml'],
      { stdout: 'pipe', stderr: 'pipe', env: { ...process.env, REDOCLY_TELEMETRY: 'off' } },
    );
    const output = (await lint.stdout.text()) + (await lint.stderr.text());
    expect(await lint.exited, output).toBe(0);
    expect(output).toContain('valid');
  }, 30_000);
});
