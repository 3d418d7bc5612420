import { describe, expect, test } from 'bun:test';
import { decodeCursor, encodeCursor, pageOf } from '../../src/utils/cursor.ts';

const SHAPE = ['string', 'number'] as const;
const raw = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  test('gives back its position', () => {
    const cursor = encodeCursor('users by name', ['ädä 💥', 7]);
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(decodeCursor('users by name', cursor, SHAPE)).toEqual(['ädä 💥', 7]);
  });

  test('is none of another list, sort or filter', () => {
    const cursor = encodeCursor('users by name', ['ada', 7]);
    expect(decodeCursor('users by id', cursor, SHAPE)).toBeUndefined();
  });

  test('is none when it has another shape', () => {
    const { 0: hash } = JSON.parse(
      Buffer.from(encodeCursor('a', []), 'base64url').toString(),
    ) as string[];
    for (const position of [[], ['x'], [1, 'x'], ['x', 1, 2], ['x', 1.5], ['x', null], [{}, 1]]) {
      expect(decodeCursor('a', raw([hash, ...position]), SHAPE)).toBeUndefined();
    }
    expect(decodeCursor('a', raw([hash, '\ud800', 1]), SHAPE)).toBeUndefined();
  });

  test.each(['', 'x', '!', '%%', raw(null), raw({}), raw([]), raw('x'), 'A'.repeat(5000)])(
    'is not %p',
    (text) => {
      expect(decodeCursor('a', text, SHAPE)).toBeUndefined();
    },
  );
});

describe('a page', () => {
  test('has a cursor after its last row when there are more', () => {
    const { data, page } = pageOf([1, 2, 3], 2, String);
    expect(data).toEqual([1, 2]);
    expect(page).toEqual({ next_cursor: '2', has_more: true, limit: 2 });
  });

  test('has none when it is the last', () => {
    expect(pageOf([1, 2], 2, String).page).toEqual({
      next_cursor: null,
      has_more: false,
      limit: 2,
    });
  });
});
