import { describe, expect, test } from 'bun:test';
import { correctSchema, type Json } from '../../src/api/openapi/schema.ts';

const NULLABLE = { type: ['string', 'null'] };
const choice = { type: 'string', enum: ['a', 'b'], 'x-enum': 'Letter' };

describe('a schema in the document', () => {
  for (const it of [
    { type: 'null' },
    { type: ['null'] },
    { const: null },
    { enum: [null] },
    { type: 'null', enum: [null] },
    { anyOf: [{ type: 'null' }] },
    { anyOf: [{ type: 'null' }, { const: null }] },
  ]) {
    test(`that allows only null becomes a nullable string: ${JSON.stringify(it)}`, () => {
      expect(correctSchema({ description: 'Nothing.', ...it }, {})).toEqual({
        description: 'Nothing.',
        ...NULLABLE,
      });
    });
  }

  test('that allows a type or null becomes the nullable type', () => {
    const schema = { anyOf: [{ type: 'null' }, { type: 'integer', minimum: 0 }], description: 'x' };
    expect(correctSchema(schema, {})).toEqual({
      type: ['integer', 'null'],
      minimum: 0,
      format: 'int64',
      description: 'x',
    });
  });

  test('that allows an enum or null becomes a named enum with null', () => {
    const schemas: Json = {};
    expect(correctSchema({ anyOf: [choice, { type: 'null' }] }, schemas)).toEqual({
      $ref: '#/components/schemas/NullableLetter',
    });
    expect(schemas['NullableLetter']).toEqual({ type: ['string', 'null'], enum: ['a', 'b', null] });
  });

  for (const it of [
    { title: 'Breaker', type: ['object', 'null'] },
    { anyOf: [{ title: 'Breaker', type: 'object' }, { type: 'null' }] },
  ]) {
    test(`that has a name and allows null gets another name: ${JSON.stringify(it)}`, () => {
      const schemas: Json = {};
      expect(correctSchema(it, schemas)).toEqual({ $ref: '#/components/schemas/NullableBreaker' });
      expect(schemas).toEqual({
        Breaker: { title: 'Breaker', type: 'object' },
        NullableBreaker: { type: ['object', 'null'] },
      });
    });
  }

  test('that allows one of several forms or null preserves null', () => {
    const forms = [{ oneOf: [{ type: 'object' }] }, { type: 'null' }];
    expect(correctSchema({ anyOf: forms }, {})).toEqual({
      anyOf: [{ oneOf: [{ type: 'object' }] }, NULLABLE],
    });
  });

  for (const [range, format] of [
    [{}, 'int64'],
    [{ minimum: 0 }, 'int64'],
    [{ maximum: 10 }, 'int64'],
    [{ minimum: 0, maximum: 2 ** 31 - 1 }, 'int32'],
    [{ minimum: -(2 ** 31), maximum: 0 }, 'int32'],
    [{ minimum: -(2 ** 31) - 1, maximum: 0 }, 'int64'],
    [{ minimum: 0, maximum: 2 ** 31 }, 'int64'],
    [{ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }, 'int64'],
  ] as const) {
    test(`that is an integer in ${JSON.stringify(range)} is ${format}`, () => {
      expect(correctSchema({ type: 'integer', ...range }, {})).toMatchObject({ format });
    });
  }

  test('that lists references has no uniqueItems, because generators would create sets of a class', () => {
    const schema = { type: 'array', items: choice, uniqueItems: true, maxItems: 2 };
    expect(correctSchema(schema, {})).not.toHaveProperty('uniqueItems');
  });
});
