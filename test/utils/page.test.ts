import { describe, expect, test } from 'bun:test';
import { pageOf } from '../../src/utils/page.ts';

describe('a page', () => {
  test('has a cursor after its last row if there are more', () => {
    const { data, page } = pageOf([1, 2, 3], 2, String);
    expect(data).toEqual([1, 2]);
    expect(page).toEqual({ next_cursor: '2', has_more: true, limit: 2 });
  });

  test('has no cursor if it is the last', () => {
    expect(pageOf([1, 2], 2, String).page).toEqual({
      next_cursor: null,
      has_more: false,
      limit: 2,
    });
  });
});
