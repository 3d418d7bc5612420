import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { items } from '../../../../src/resources/items.ts';
import {
  ACCOUNT_FILTERS,
  AUDIT_FILTERS,
  type FilterFields,
} from '../../../../src/schemas/filters.ts';
import { type TestApp, testApp } from '../../../support.ts';

type Query = [name: string, value: string][];

interface Problem {
  path: string;
  code: string;
  message: string;
}

const LISTS: [path: string, fields: FilterFields][] = [
  ['/api/v2/items', items.definition.filters],
  ['/api/v2/items/export', items.definition.filters],
  ['/api/v2/users', ACCOUNT_FILTERS],
  ['/api/v2/audit-log', AUDIT_FILTERS],
];

const ITEMS = [
  { title: 'A warm hutch', tags: ['wood', 'a,b'], data: { n: 2, s: 'null' } },
  { title: ' A warm hutch', url: 'https://a.example/x', tags: ['wood', 'straw'], data: { n: '2' } },
  { title: 'in eq wood', tags: [' straw', '"straw"'], data: { n: null, deep: { a: true } } },
  { title: 'a\\,b', tags: ['straw'], data: { n: 2.5 }, visibility: 'private' as const },
];

/** An admin with four items, the last private. */
async function withItems() {
  const t = await testApp();
  const root = await t.signUp('root', 'admin');
  for (const item of ITEMS) await root.client.api.v2.items.post(item);
  return { t, ...root, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

async function ask(t: TestApp, path: string, query: Query, token?: string) {
  const search = new URLSearchParams(query);
  const answer = await t.request('GET', `${path}?${search}`, token ? { token } : {});
  return { status: answer.status, text: await answer.text() };
}

async function idsOf(t: TestApp, path: string, where: string[], token?: string) {
  const query = where.map((text): [string, string] => ['where', text]);
  const { text } = await ask(t, path, query, token);
  return (JSON.parse(text) as { data: { id: number }[] }).data.map(({ id }) => id);
}

async function problemsOf(t: TestApp, path: string, query: Query, token?: string) {
  const { status, text } = await ask(t, path, query, token);
  const { code, errors } = JSON.parse(text) as { code: string; errors: Problem[] };
  expect([status, code]).toEqual([400, 'invalid_query']);
  return errors;
}

/** Conditions on a list, right and wrong, with values that are hard to carry. */
function someCondition(fields: FilterFields) {
  const value = fc.oneof(
    fc.constantFrom(...ITEMS.map(({ title }) => title), 'wood', 'a\\,b', '"2"', 'null', 'me'),
    fc.constantFrom('1,2,3', ' 1 , 2 ', ' true ', '2026-11-22', '2026-02-31', 'root', '*o*', ''),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.constantFrom('  two', 'a\nb', '\t', 'x'.repeat(300), '%41', 'a+b', 'a&b=c#d', '\u0000'),
  );
  const name = fc.constantFrom(...Object.keys(fields), 'data.n', 'data.deep.a', 'colour');
  const op = fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'like', 'is', 'regex');
  return fc.record({ name, op, value });
}

describe.each(LISTS)('%s', (path, fields) => {
  test('accepts a condition as text and as a parameter alike, whatever its value', async () => {
    await using it = await withItems();
    // A query of the log is not in it, but the log grows by what is refused.
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(someCondition(fields), async ({ name, op, value }) => {
        const byName = await ask(it.t, path, [[`filter[${name}][${op}]`, value]], it.token);
        const asText = await ask(it.t, path, [['where', `${name} ${op} ${value}`]], it.token);
        seen.add(byName.status);
        expect(asText.status).toBe(byName.status);
        const reasons = ({ status, text }: typeof byName) =>
          status === 200 ? text : JSON.parse(text).errors.map(({ message }: Problem) => message);
        const withoutSeal = (text: unknown) =>
          typeof text === 'string' ? text.replace(/"next_cursor":"[^"]*"/, '') : text;
        expect(withoutSeal(reasons(asText))).toEqual(withoutSeal(reasons(byName)));
      }),
      { numRuns: 300 },
    );
    expect([...seen].toSorted()).toEqual([200, 400]);
  }, 60_000);

  test('names the field, the operator and the allowed values when it refuses a condition', async () => {
    await using it = await withItems();
    const [field, { ops }] = Object.entries(fields)[0] as [string, FilterFields[string]];
    const query: Query = [
      ['where', 'colour eq red'],
      ['where', `${field} regex 1`],
      ['where', `${field} eq x`],
      ['where', 'colour'],
    ];
    const names = Object.entries(fields).map(([name, { hasPath }]) =>
      hasPath ? `${name} with a path, such as ${name}.a.b` : name,
    );
    expect(await problemsOf(it.t, path, query, it.token)).toEqual([
      {
        path: 'query.where.0',
        code: 'extra_forbidden',
        message: `colour is not a field of this list; its fields are ${names.join(', ')}`,
      },
      {
        path: 'query.where.1',
        code: 'literal_error',
        message: `${field} has no operator regex; it has ${ops.join(', ')}`,
      },
      {
        path: 'query.where.2',
        code: 'int_parsing',
        message: `${field} eq: Input should be a valid integer`,
      },
      {
        path: 'query.where.3',
        code: 'value_error',
        message: 'Input should be "field op value", as in "created_at gte 2026-11-22"',
      },
    ]);
  });

  test('accepts at most 20 conditions of both forms together', async () => {
    await using it = await withItems();
    const query = (count: number): Query => [
      ['filter[id][gt]', '0'],
      ...Array.from({ length: count }, (): [string, string] => ['where', 'id gt 0']),
    ];
    expect((await ask(it.t, path, query(19), it.token)).status).toBe(200);
    expect(await problemsOf(it.t, path, query(30), it.token)).toEqual([
      { path: 'query.where.19', code: 'too_long', message: 'There should be at most 20 filters' },
    ]);
  });
});

describe('where', () => {
  test.each<[string[], number[]]>([
    [['tags eq wood'], [2, 1]],
    [['tags eq wood', 'tags eq straw'], [2]],
    [['tags in wood,straw'], [4, 2, 1]],
    [['tags in a\\,b'], [1]],
    [['tags eq a,b'], [1]],
    [['tags eq  straw'], [3]],
    [['tags eq "straw"'], [3]],
    [['title eq A warm hutch'], [1]],
    [['title eq  A warm hutch'], [2]],
    [['  title   eq A warm hutch'], [1]],
    [['title\teq\tA warm hutch'], [1]],
    [['title eq in eq wood'], [3]],
    [['title eq a\\,b'], [4]],
    [['title in a\\\\\\,b'], [4]],
    [['title like *WARM*'], [2, 1]],
    [['title eq'], []],
    [['title ne'], [4, 3, 2, 1]],
    [['url is null'], [4, 3, 1]],
    [['url is  not_null '], [2]],
    [['data.n eq 2'], [1]],
    [['data.n eq "2"'], [2]],
    [['data.s eq null'], []],
    [['data.s eq "null"'], [1]],
    [['data.deep.a is true'], [3]],
    [['id in 1, 3'], [3, 1]],
    [
      ['id gte  2 ', 'id lt 4'],
      [3, 2],
    ],
    [['visibility eq private'], [4]],
    [['created_at gte  2020-01-01 '], [4, 3, 2, 1]],
    [['owner_id eq me'], [4, 3, 2, 1]],
  ])('%j finds %j', async (where, ids) => {
    await using it = await withItems();
    expect(await idsOf(it.t, '/api/v2/items', where, it.token)).toEqual(ids);
  });

  test('and filter[field][op] must both hold', async () => {
    await using it = await withItems();
    const query: Query = [
      ['where', 'tags eq wood'],
      ['filter[id][gt]', '1'],
    ];
    const { text } = await ask(it.t, '/api/v2/items', [...query, ['fields', 'id']], it.token);
    expect(JSON.parse(text).data).toEqual([{ id: 2 }]);
  });

  test('is sent by the client, one text or a list of them', async () => {
    await using it = await withItems();
    const { items } = it.client.api.v2;
    const tag = 'straw';
    const one = await items.get({ query: { where: `tags eq ${tag}`, fields: 'id' } });
    const two = await items.get({
      query: {
        where: ['tags eq wood', `tags eq ${tag}`],
        fields: ['id', 'title'],
        sort: ['-views', 'title'],
      },
    });
    expect(one.data?.data.map(({ id }) => id)).toEqual([4, 2]);
    expect(two.data?.data as unknown).toEqual([{ id: 2, title: ' A warm hutch' }]);
  });

  test('is part of the query that a cursor belongs to', async () => {
    await using it = await withItems();
    const { text } = await ask(it.t, '/api/v2/items', [
      ['where', 'id gt 0'],
      ['limit', '1'],
    ]);
    const cursor: string = JSON.parse(text).page.next_cursor;
    const status = async (...where: string[]) => {
      const query = where.map((each): [string, string] => ['where', each]);
      return (await ask(it.t, '/api/v2/items', [...query, ['cursor', cursor]])).status;
    };
    expect([await status('id gt 0'), await status('id gt 1'), await status()]).toEqual([
      200, 400, 400,
    ]);
  });

  test('is unknown on routes without filters', async () => {
    await using it = await withItems();
    const [problem] = await problemsOf(it.t, '/api/v2/items/1', [['where', 'id eq 1']]);
    expect(problem).toMatchObject({ path: 'query.where', code: 'extra_forbidden' });
  });
});

test('an export contains the items that pass, and none in the bin', async () => {
  await using it = await withItems();
  await it.client.api.v2.items({ item_id: 1 }).delete();
  const query: Query = [
    ['where', 'title like *a*'],
    ['where', 'views eq 0'],
  ];
  const titles = async (scope: string) => {
    const { text } = await ask(
      it.t,
      '/api/v2/items/export',
      [...query, ['scope', scope]],
      it.token,
    );
    return text.split('\n').flatMap((line) => (line ? JSON.parse(line).title : []));
  };
  expect(await titles('own')).toEqual([' A warm hutch', 'a\\,b']);
  expect(await titles('listed')).toEqual([' A warm hutch']);
});

describe('accounts', () => {
  test.each<[string[], string[]]>([
    [['email eq ADA@example.com'], ['ada']],
    [['email in ada@example.com,root@example.com'], ['root', 'ada']],
    [['username ne ADA'], ['root', 'bob']],
    [['username like *O*'], ['root', 'bob']],
    [['id eq me'], ['root']],
    [['role eq admin'], ['root']],
    [
      ['role in user,admin', 'id gt 1'],
      ['ada', 'bob'],
    ],
    [['is_active eq false'], ['bob']],
    [['email_verified eq true'], []],
    [['has_password eq true'], ['root', 'ada', 'bob']],
    [['updated_at lt 2020-01-01'], []],
  ])('where %j are %j', async (where, names) => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    for (const name of ['ada', 'bob']) await t.signUp(name);
    await t.json('PATCH', '/api/v2/users/3', { is_active: false }, token);
    const query = where.map((text): [string, string] => ['where', text]);
    const { text } = await ask(t, '/api/v2/users', [...query, ['count', 'exact']], token);
    const { data, total } = JSON.parse(text) as { data: { username: string }[]; total: number };
    expect(data.map(({ username }) => username)).toEqual(names);
    expect(total).toBe(names.length);
  });
});

test('entries of the audit log are found by any of their fields', async () => {
  await using t = await testApp();
  const { token } = await t.signUp('root', 'admin');
  await t.signUp('ada');
  const found = (...where: string[]) => idsOf(t, '/api/v2/audit-log', where, token);
  const all = await found();
  expect(all.length).toBeGreaterThan(3);
  expect(await found('user_id eq me')).toEqual([2, 1]);
  expect(await found('user_id in 1,2', 'action eq user.created')).toEqual([3, 1]);
  expect(await found('action like session.*')).toEqual([4, 2]);
  expect(await found('at gte 2020-01-01', 'id lte 2')).toEqual([2, 1]);
  expect(await found('user_id is null')).toEqual([]);
  expect(await found('user_id ne 1')).toEqual([4, 3]);
});

describe('the document', () => {
  test.each(LISTS)(
    'describes both forms for %s, and no parameter of nested objects',
    async (path, fields) => {
      await using t = await testApp();
      interface Parameter {
        name: string;
        style?: string;
        explode?: boolean;
        schema: { type?: string; $ref?: string; items?: object };
      }
      const answer = await t.request('GET', '/openapi.json');
      const document = (await answer.json()) as {
        paths: Record<string, { get: { parameters: Parameter[] } }>;
      };
      const parameters = document.paths[path]?.get.parameters ?? [];
      expect(JSON.stringify(document)).not.toContain('deepObject');
      expect(parameters.find(({ name }) => name === 'where')).toMatchObject({
        style: 'form',
        explode: true,
        schema: { type: 'array', items: { type: 'string' } },
      });
      const named = parameters.filter(({ name }) => name.startsWith('filter['));
      const expected = Object.entries(fields).flatMap(([name, { ops, hasPath }]) =>
        hasPath ? [] : ops.map((op) => `filter[${name}][${op}]`),
      );
      expect(named.map(({ name }) => name)).toEqual(expected);
      // A reference is to a named enum of texts.
      for (const { schema } of named) {
        expect(schema.type ?? schema.$ref).toMatch(
          /^(string|integer|#\/components\/schemas\/\w+)$/,
        );
      }
    },
  );
});
