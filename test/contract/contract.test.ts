import { describe, expect, test } from 'bun:test';
import type { Contract, Json, Operation } from '../../src/project/contract/document.ts';
import { breakingChanges } from '../../src/project/contract/rules.ts';

const schema = {
  type: 'object',
  required: ['title'],
  properties: {
    title: { type: 'string', minLength: 1, maxLength: 200 },
    visibility: { anyOf: [{ const: 'public' }, { const: 'private' }] },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 20 },
  },
};
const base: Operation = {
  security: [],
  parameters: [{ in: 'query', name: 'limit', schema: { type: 'integer', maximum: 100 } }],
  requestBody: { required: true, content: { 'application/json': { schema } } },
  responses: {
    200: { content: { 'application/json': { schema: structuredClone(schema) } } },
    404: { codes: ['not_found'] },
    409: { codes: ['conflict', 'email_taken'] },
  },
};

/** Applies `change` to a copy and returns the breaking changes. */
function after(change: (operation: Operation) => void): string[] {
  const next = structuredClone(base);
  change(next);
  return breakingChanges({ 'POST /a': base }, { 'POST /a': next });
}

const codesOf = (it: Operation, status: number) => it.responses[status]?.codes ?? [];
const sent = (it: Operation) => at(it.requestBody?.content);
const received = (it: Operation) => at(it.responses['200']?.content);
function at(content: Record<string, { schema: Json }> | undefined) {
  return content?.['application/json']?.schema as typeof schema & Json;
}
const limitOf = (it: Operation) => it.parameters?.[0] as NonNullable<Operation['parameters']>[0];

describe('a breaking change is', () => {
  test.each<[string, (operation: Operation) => void, string]>([
    ['a newly required token', (it) => delete it.security, 'needs a token now'],
    ['a removed parameter', (it) => it.parameters?.pop(), 'query parameter limit is gone'],
    [
      'a newly required parameter',
      (it) => (limitOf(it).required = true),
      'query parameter limit is required now',
    ],
    [
      'a new required parameter',
      (it) => it.parameters?.push({ in: 'query', name: 'q', required: true, schema: {} }),
      'query parameter q is new and required',
    ],
    [
      'a lower bound of a parameter',
      (it) => (limitOf(it).schema['maximum'] = 50),
      'query parameter limit has the maximum 50 now',
    ],
    ['a newly required field', (it) => sent(it).required.push('tags'), 'body.tags is required now'],
    [
      'a removed request field',
      (it) => Reflect.deleteProperty(sent(it).properties, 'tags'),
      'body.tags is gone',
    ],
    [
      'a shorter text',
      (it) => (sent(it).properties.title.maxLength = 100),
      'body.title has the maxLength 100 now',
    ],
    [
      'a removed value',
      (it) => sent(it).properties.visibility.anyOf.pop(),
      'body.visibility takes "private" no more',
    ],
    [
      'a different type of a field',
      (it) => (sent(it).properties.title.type = 'integer'),
      'body.title is integer where it was string',
    ],
    [
      'a different type inside a list',
      (it) => (sent(it).properties.tags.items.type = 'integer'),
      'body.tags[] is integer where it was string',
    ],
    [
      'a removed media type',
      (it) => Reflect.deleteProperty(it.requestBody?.content ?? {}, 'application/json'),
      'takes no application/json any more',
    ],
    [
      'a removed status',
      (it) => Reflect.deleteProperty(it.responses, '200'),
      'answers 200 no more',
    ],
    [
      'a removed response field',
      (it) => Reflect.deleteProperty(received(it).properties, 'title'),
      'answer 200.title is gone',
    ],
    [
      'a response field that may be missing',
      (it) => received(it).required.pop(),
      'answer 200.title may be missing now',
    ],
    [
      'a response field that may be null',
      (it) => Object.assign(received(it).properties.title, { type: ['string', 'null'] }),
      'answer 200.title is string|null where it was string',
    ],
    [
      'a renamed code',
      (it) => codesOf(it, 409).splice(1, 1, 'address_taken'),
      'the code email_taken of 409 became address_taken',
    ],
    [
      'a code with a different status',
      (it) => (it.responses['422'] = { codes: codesOf(it, 409).splice(1) }),
      'the code email_taken has the status 422 where it had 409',
    ],
  ])('%s', (_, change, expected) => {
    expect(after(change)).toContain(`POST /a: ${expected}`);
  });

  test('a removed operation', () => {
    const next: Contract = {};
    expect(breakingChanges({ 'POST /a': base }, next)).toEqual(['POST /a: is gone']);
  });
});

test('removing a code from all operations is a breaking change', () => {
  expect(after((it) => codesOf(it, 409).pop())).toEqual([
    'no operation has the code email_taken any more',
  ]);
});

test('removing a code that other operations have is allowed', () => {
  const next = structuredClone(base);
  codesOf(next, 409).pop();
  const both = { 'POST /a': base, 'POST /b': base };
  expect(breakingChanges(both, { 'POST /a': next, 'POST /b': base })).toEqual([]);
});

describe('no breaking change is', () => {
  test.each<[string, (operation: Operation) => void]>([
    ['nothing at all', () => {}],
    [
      'a new optional parameter',
      (it) => it.parameters?.push({ in: 'query', name: 'q', schema: {} }),
    ],
    [
      'a new optional field',
      (it) => Object.assign(sent(it).properties, { data: { type: 'object' } }),
    ],
    ['a longer text', (it) => (sent(it).properties.title.maxLength = 300)],
    ['a new accepted value', (it) => sent(it).properties.visibility.anyOf.push({ const: 'team' })],
    ['a new response field', (it) => Object.assign(received(it).properties, { id: {} })],
    ['a new code', (it) => codesOf(it, 409).push('username_taken')],
    ['a status with new codes', (it) => (it.responses['422'] = { codes: ['weak_password'] })],
    ['a request field that becomes optional', (it) => sent(it).required.pop()],
  ])('%s', (_, change) => {
    expect(after(change)).toEqual([]);
  });
});
