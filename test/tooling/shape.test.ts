import { describe, expect, test } from 'bun:test';
import { findCycle, functionsOf, longestChain } from './shape.ts';

const linesOf = (source: string) =>
  functionsOf('src/one.ts', source).map(({ where, value }) => [where, value]);

describe('the shape of the code', () => {
  test('counts the lines of a function anywhere in a file', () => {
    const source =
      'const one = () => 1;\nexport const two = () =>\n  2;\nfunction three() {\n\n}\n';
    expect(linesOf(source)).toEqual([
      ['src/one.ts:2 two', 2],
      ['src/one.ts:4 three', 3],
    ]);
  });

  test('counts the methods of a factory individually, but not the factory', () => {
    const source =
      'export function createOne() {\n  return {\n    two() {\n      return 2;\n    },\n  };\n}\n';
    expect(linesOf(source)).toEqual([['src/one.ts:3 two', 3]]);
  });

  test('finds a cycle of imports', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(graph)).toEqual(['b', 'c', 'b']);
    expect(findCycle(new Map([...graph, ['c', []]]))).toEqual([]);
  });

  test('finds the longest chain of imports', () => {
    const graph = new Map([
      ['a', ['d', 'b']],
      ['b', ['c']],
      ['c', ['d']],
      ['d', []],
    ]);
    expect(longestChain(graph)).toEqual(['a', 'b', 'c', 'd']);
  });
});
