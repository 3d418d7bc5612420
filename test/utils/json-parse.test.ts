import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { JsonFault, parseForeignJson, parseJson } from '../../src/utils/json/parse.ts';

const utf8 = new TextEncoder();
const parse = (text: string, maxDepth = 32, maxNodes = 10_000) =>
  parseJson(utf8.encode(text), { maxDepth, maxNodes });

function faultOf(text: string, maxDepth?: number, maxNodes?: number) {
  try {
    parse(text, maxDepth, maxNodes);
  } catch (error) {
    if (error instanceof JsonFault) return { kind: error.kind, path: error.path };
    throw error;
  }
  return undefined;
}

/** Finds flaws the slow way, with a reviver that sees the text of each number. */
function isFlawed(text: string): boolean {
  let isFlawed = false;
  JSON.parse(text, function (this: unknown, key, value: unknown, { source = '' }) {
    const isUnsafe = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
    const isVanished = value === 0 && /[1-9]/.test(source.replace(/e.*/i, ''));
    const texts = [key, value].filter((it) => typeof it === 'string');
    if (isUnsafe || isVanished || texts.some((it) => it.includes('\0') || !it.isWellFormed())) {
      isFlawed = true;
    }
    if (key === '__proto__' && !Array.isArray(this)) isFlawed = true;
    return value;
  });
  return isFlawed;
}

/** JSON with everything that its grammar allows: long numbers, escapes, spaces, any key. */
function jsonTexts(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', '', ' ', '\n\t ');
  const unit = fc.constantFrom(
    'a',
    'é',
    '😀',
    '\\u0000',
    '\\ud83d',
    '\\ude00',
    '\\n',
    '\\\\',
    '\\"',
  );
  const text = fc.array(unit, { maxLength: 6 }).map((it) => `"${it.join('')}"`);
  const key = fc.oneof(text, fc.constantFrom('"__proto__"', '"_\\u005fproto__"', '"__proto"'));
  const digits = fc
    .integer({ min: 0, max: 9 })
    .chain((it) =>
      fc
        .array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 })
        .map((more) => (it === 0 ? '0' : [it, ...more].join(''))),
    );
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.option(
        digits.map((it) => `.${it}`),
        { nil: '' },
      ),
      fc.constantFrom('', '', 'e3', 'E+15', 'e-400', 'e400', 'e-15'),
    )
    .map((it) => it.join(''));
  const scalar = fc.oneof(text, number, fc.constantFrom('true', 'false', 'null'));
  return fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc
        .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
        .map((it) => `[${it.map((each) => each.join('')).join(',')}]`),
      fc
        .uniqueArray(fc.tuple(space, key, space, tie('value')), {
          maxLength: 4,
          // JSON.parse does not pass a value to its reviver if a later one replaces it.
          selector: ([, it]) => JSON.parse(it),
        })
        .map((it) => `{${it.map(([a, b, c, d]) => `${a}${b}${c}:${d}`).join(',')}}`),
    ),
  })).value;
}

describe('any JSON', () => {
  // proves: input.json-values
  test('is parsed like JSON.parse does, or refused for a flaw', () => {
    fc.assert(
      fc.property(jsonTexts(), (text) => {
        const fault = faultOf(text);
        expect(fault !== undefined, text).toBe(isFlawed(text));
        if (!fault) expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('that is forwarded keeps the digits of each number', () => {
    fc.assert(
      fc.property(jsonTexts(), (text) => {
        const bounds = { maxDepth: 32, maxNodes: 10_000 };
        const passedOn = JSON.stringify(parseForeignJson(utf8.encode(text), bounds));
        expect(JSON.stringify(JSON.parse(passedOn))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
    const digits = '{"a":1234567890123456789,"b":[1e400],"c":0.5}';
    const bounds = { maxDepth: 2, maxNodes: 10 };
    expect(JSON.stringify(parseForeignJson(utf8.encode(digits), bounds))).toBe(digits);
  });

  test('refuses bytes that are not JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:"\\u0e-+.1_ \n') }), (text) => {
        const fault = faultOf(text);
        if (!fault) expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });
});

describe('bounds', () => {
  test.each([
    ['[[0]]', 2, 10, undefined],
    ['[[0]]', 1, 10, 'bounds'],
    ['{"a":{"b":[]}}', 3, 6, undefined],
    ['{"a":{"b":[]}}', 3, 5, 'bounds'],
    ['{"a":{"b":[]}}', 2, 10, 'bounds'],
    ['"[[["', 0, 10, undefined],
    ['["\\"[[["]', 1, 10, undefined],
    ['[],[]'.repeat(5), 1, 20, 'syntax'],
    ['[1,2,3]', 1, 4, undefined],
    ['[1,2,3]', 1, 3, 'bounds'],
    ['['.repeat(1_000_000), 32, 10_000, 'bounds'],
  ])('%.20s of depth %d and %d nodes: %p', (text, maxDepth, maxNodes, kind) => {
    expect(faultOf(text, maxDepth, maxNodes)?.kind).toBe(kind as never);
  });
});

describe('the path to a flaw', () => {
  test.each([
    ['1e999', []],
    ['[0,[],{"a":[1,2,{"b c":1e999}]}]', [2, 'a', 2, 'b c']],
    ['{"a":1,"a":{"x":[]},"b":1e999}', ['b']],
    ['{"\\u0061\\"":1e999}', ['a"']],
    ['{"é":{"__proto__" : 1}}', ['é', '__proto__']],
    ['{"a":"\\udc00"}', ['a']],
    ['[{"\\u0000":1}]', [0, '\0']],
    [`{"${'k'.repeat(500)}":1e999}`, ['k'.repeat(100)]],
  ])('in %.40s', (text, path) => {
    expect(faultOf(text)?.path).toEqual(path);
  });
});
