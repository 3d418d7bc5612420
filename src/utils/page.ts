import { nextTurn } from './async/event-loop.ts';

/** The position of a row in a list: the values that the list is sorted by. */
export type Position = (string | number)[];
/** The types of a position's values, in order. */
export type Shape = readonly ('string' | 'number')[];

/** Metadata of one page of a list. */
export interface Page {
  next_cursor: string | null;
  has_more: boolean;
  limit: number;
}

/** Returns a page of at most `limit` rows. Reading `limit + 1` rows shows whether there are more. */
export function pageOf<T>(
  rows: T[],
  limit: number,
  cursorAfter: (row: T) => string,
): { data: T[]; page: Page } {
  const has_more = rows.length > limit;
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const next_cursor = has_more && last !== undefined ? cursorAfter(last) : null;
  return { data, page: { next_cursor, has_more, limit } };
}

/**
 * Reads pages of `size` rows, ordered by id, until a page is not full. Pages are read lazily, each in
 * a separate turn of the event loop.
 */
export async function* pagesById<T extends { id: number }>(
  size: number,
  read: (after: number) => Promise<T[]>,
): AsyncGenerator<T[]> {
  for (let after = 0; ; ) {
    await nextTurn();
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    if (page.length < size) return;
    after = last.id;
  }
}
