import { describe, expect, test } from 'bun:test';
import { Value } from '@sinclair/typebox/value';
import { t } from 'elysia';
import { registerKinds } from '../../src/api/request/validation.ts';
import type { Column } from '../../src/resources/declare/column.ts';
import {
  anyJson,
  flag,
  integer,
  json,
  oneOf,
  real,
  ref,
  text,
  texts,
  timestamp,
  visibility,
} from '../../src/resources/declare/columns.ts';
import { items } from '../../src/resources/items.ts';

registerKinds();

/** Values that each kind of column accepts, and values that it refuses. */
const CASES: Record<string, { column: Column; accepts: unknown[]; refuses: unknown[] }> = {
  text: {
    column: text({ min: 1, max: 3 }),
    accepts: ['a', '🐇🐇🐇'],
    refuses: ['', 'abcd', 'a\u0000', 1, null],
  },
  'an address': {
    column: text({ format: 'uri' }),
    accepts: ['https://example.com/'],
    refuses: ['example', 'ftp://example.com/'],
  },
  integer: {
    column: integer({ min: 0, max: 10 }),
    accepts: [0, 10],
    refuses: [-1, 11, 1.5, '1'],
  },
  'integer without bounds': {
    column: integer(),
    accepts: [Number.MAX_SAFE_INTEGER],
    refuses: [2 ** 53],
  },
  real: { column: real({ min: 0 }), accepts: [0, 1.5], refuses: [-0.1, '1'] },
  flag: { column: flag(), accepts: [true, false], refuses: [0, 'true'] },
  timestamp: {
    column: timestamp(),
    accepts: ['2026-11-22T16:00:00Z', '2026-11-22T17:00:00.5+01:00', '2026-11-22'],
    refuses: ['2026-02-30', '2026-11-22T16:00:00', 'soon', 1],
  },
  oneOf: { column: oneOf('open', "don't"), accepts: ['open', "don't"], refuses: ['shut', 1] },
  json: {
    column: json(t.Object({ rabbits: t.Number() })),
    accepts: [{ rabbits: 2 }],
    refuses: [{ rabbits: 'two' }, {}, []],
  },
  anyJson: {
    column: anyJson({ maxBytes: 20, maxDepth: 2 }),
    accepts: [{}, { a: { b: 1 } }],
    refuses: [[], 'a', { a: { b: [] } }, { a: 'x'.repeat(20) }],
  },
  texts: {
    column: texts({ max: 2, maxItems: 2 }),
    accepts: [[], ['ab', 'c']],
    refuses: [['abc'], [''], ['a', 'b', 'c'], 'a', [1]],
  },
  visibility: { column: visibility(), accepts: ['public', 'private'], refuses: ['hidden'] },
  ref: { column: ref(() => items), accepts: [1], refuses: [0, -1, 1.5, '1'] },
};

describe('a column', () => {
  for (const [name, { column, accepts, refuses }] of Object.entries(CASES)) {
    const schema = column.data.schema('Choice');
    test(`of ${name} accepts only its values`, () => {
      expect(accepts.filter((value) => !Value.Check(schema, value))).toEqual([]);
      expect(refuses.filter((value) => Value.Check(schema, value))).toEqual([]);
    });
  }

  test('accepts null and has no default unless declared otherwise', () => {
    expect(text().data).toMatchObject({ isNullable: true });
    expect(text().data.default).toBeUndefined();
    const declared = text().notNull().default('a').data;
    expect(declared).toMatchObject({ isNullable: false, default: { value: 'a' } });
  });

  test('does not change when another one is derived from it', () => {
    const plain = text();
    plain.notNull().default('a');
    expect(plain.data.isNullable).toBe(true);
    expect(plain.data.default).toBeUndefined();
  });
});
