import { expect, test } from 'bun:test';
import { isDeeperThan } from '../../src/utils/json/depth.ts';

test('arrays and objects count as levels, scalars do not', () => {
  expect(isDeeperThan(1, 0)).toBe(false);
  expect(isDeeperThan(null, 0)).toBe(false);
  expect(isDeeperThan([], 0)).toBe(true);
  expect(isDeeperThan([1, { a: [] }], 3)).toBe(false);
  expect(isDeeperThan([1, { a: [] }], 2)).toBe(true);
});

test('a very deep value does not overflow the stack', () => {
  expect(isDeeperThan(JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)), 100)).toBe(true);
});
