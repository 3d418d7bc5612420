import { fragment, raw } from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import { entriesAfter } from './entries.ts';
import { indexedPart } from './order.ts';
import type { Counted } from './query.ts';
import type { Reading } from './reading.ts';
import { isChecked, readWindow, rowsFound, type Walk } from './window.ts';

/** Entries counted in one statement: about a millisecond. */
const COUNT_STEP = 10_000;

/** Counts entries whose rows need no check. */
export async function countEntries(reading: Reading, walk: Walk): Promise<Counted> {
  const { counted } = reading.bounds;
  let total = 0;
  for (let from: Position | undefined; total <= counted; await reading.pace()) {
    const step = Math.min(COUNT_STEP, counted + 1 - total);
    const found = await countSome(reading, walk, from, step);
    total += found.total;
    from = found.upTo;
    if (!from) break;
  }
  return { total: Math.min(total, counted), total_is_capped: total > counted };
}

/** Counts the rows that pass. */
export async function countChecked(reading: Reading, walk: Walk): Promise<Counted> {
  const { window, windows, maxMs, counted } = reading.bounds;
  const isBounded = Number.isFinite(counted);
  const untilMs = performance.now() + maxMs;
  const sizes = createSizes(window);
  let total = 0;
  let from: Position | undefined;
  for (let left = window * windows; left > 0 || !isBounded; await reading.pace()) {
    const size = isBounded ? Math.min(sizes.next(), left) : sizes.next();
    const found = await countSome(reading, walk, from, size);
    total += found.total;
    from = found.upTo;
    if (!from || (isBounded && performance.now() > untilMs)) break;
    left -= size;
    sizes.taken();
  }
  return { total, total_is_capped: from !== undefined };
}

async function countSome(
  reading: Reading,
  walk: Walk,
  from: Position | undefined,
  size: number,
): Promise<{ total: number; upTo: Position | undefined }> {
  const { session, rule, order } = reading;
  if (rule) {
    const inIndex = { ...reading, order: indexedPart(order) };
    const { entries, upTo } = await readWindow(inIndex, walk, from, size, size + 1);
    return { total: entries.length, upTo };
  }
  const rows = isChecked(reading, walk) ? rowsFound(reading, walk) : raw('from found');
  const last = fragment`from found limit 1 offset ${size - 1}`;
  const [row] = await rowsOf<{ total: number; key: string | number; id: number | null }>(
    session,
    fragment`with found(key, id) as materialized (${entriesAfter(order, walk, from, size)})
      select count(*) as total, (select key ${last}) as key, (select id ${last}) as id ${rows}`,
  );
  if (!row || row.id === null) return { total: row?.total ?? 0, upTo: undefined };
  return { total: row.total, upTo: order.length > 1 ? [row.key, row.id] : [row.id] };
}
