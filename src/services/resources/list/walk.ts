import { fragment } from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import { countChecked, countEntries } from './count.ts';
import { entriesWhere, rangesAfter } from './entries.ts';
import { isGrouped } from './order.ts';
import type { ListedRow } from './query.ts';
import { namesOf, positionOf, type Reading, selectionOf } from './reading.ts';
import type { Batch, Entry, Stream } from './stream.ts';
import { isChecked, readWindow, rowsFound, type Walk } from './window.ts';

/** Entries of the first window, if checking them is cheap: about a fifth of a millisecond. */
const LIGHT_WINDOW = 512;

/** Reads an index in windows; one without conditions in a single one. */
export function createWalk(reading: Reading, walk: Walk): Stream {
  const { bounds, pace, order } = reading;
  return {
    batches: async function* (from, limit) {
      const needsWindows = isGrouped(order) || isChecked(reading, walk);
      const sizes = createSizes(bounds.window, walk.isLight ? LIGHT_WINDOW : undefined);
      const most = bounds.window * bounds.windows;
      for (let position = from, left = most; ; await pace()) {
        const size = Math.min(sizes.next(), left);
        const batch = needsWindows
          ? await readWindow(reading, walk, position, size, limit)
          : await readAll(reading, walk, position, limit);
        yield batch;
        if (!batch.upTo) return;
        position = batch.upTo;
        left = left - size || most;
        sizes.taken();
      }
    },
    count: () =>
      isChecked(reading, walk) ? countChecked(reading, walk) : countEntries(reading, walk),
  };
}

/** Reads the next entries of an index whose rows need no check: the rows as well if that is simple. */
async function readAll(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  limit: number,
): Promise<Batch> {
  const { session, order } = reading;
  const ranges = rangesAfter(order, walk, from);
  const query = entriesWhere(order, walk.source, ranges, limit);
  const hasRows = walk.isOnly && ranges.length === 1;
  const rows = await rowsOf<ListedRow & { key: string | number }>(
    session,
    hasRows
      ? fragment`with found(key, id) as not materialized (${query}) select ${selectionOf(reading, namesOf(reading, true))} ${rowsFound(reading, walk)}`
      : query,
  );
  const entries = rows.map((row): Entry => {
    if (hasRows) return { position: positionOf(reading, row), row };
    return { position: order.length > 1 ? [row.key, row.id] : [row.id] };
  });
  const upTo = entries.length < limit ? undefined : entries.at(-1)?.position;
  return { entries, upTo, looked: 0 };
}
