import { nextTurn } from './async/event-loop.ts';

/**
 * Reads pages of `size` rows in the order of their ids until one is not full. Each page is read
 * only when it is asked for, in a turn of the event loop of its own.
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
