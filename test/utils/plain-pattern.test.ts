import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  fitsPattern,
  type PlainPattern,
  parsePattern,
} from '../../src/utils/text/plain-pattern.ts';

const fits = (pattern: string, text: string) =>
  fitsPattern(parsePattern(pattern) as PlainPattern, text);

describe('a plain pattern', () => {
  test.each([
    ['[A-Z]{3}', ['USD'], ['usd', 'US', 'USDX']],
    ['a?b', ['b', 'ab'], ['aab', '']],
    ['\\d+-\\d*', ['1-', '12-3'], ['-1', '1']],
    ['[^/]+', ['a b'], ['', 'a/b']],
    ['x{2,}', ['xx', 'xxxx'], ['x']],
    ['x{1,2}\\.', ['x.', 'xx.'], ['xxx.', 'x!']],
    ['.', ['é', '💥'], ['', 'ab', '\n']],
    ['', [''], ['a']],
  ])('%s matches the whole of a text', (pattern, right, wrong) => {
    for (const text of right) expect(`${text} ${fits(pattern, text)}`).toBe(`${text} true`);
    for (const text of wrong) expect(`${text} ${fits(pattern, text)}`).toBe(`${text} false`);
  });

  test.each(['(a)', 'a|b', '^a', 'a$', '\\1', '(?=a)', 'a**', '[', 'x{3,1}', 'x{999}', 'a{2', ']'])(
    '%s is none',
    (pattern) => expect(parsePattern(pattern)).toBeUndefined(),
  );

  test('matches like a regular expression', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w');
    const count = fc.constantFrom('', '?', '*', '+', '{2}', '{0,2}', '{1,}');
    const pattern = fc.array(fc.tuple(atom, count), { maxLength: 5 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (parts, it) => {
        const own = parts.map(([a, b]) => a + b).join('');
        expect(fits(own, it)).toBe(new RegExp(`^(?:${own})$`, 'u').test(it));
      }),
      { numRuns: 2_000 },
    );
  });

  // proves: costly-work.patterns-of-parameters, 1.2.9
  test('ends where a regular expression would backtrack forever', () => {
    expect(fits(`${'a*'.repeat(50)}b`, 'a'.repeat(2_000))).toBe(false);
  });
});
