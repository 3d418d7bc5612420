import { AppError } from '../../../core/exceptions.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import { createFirst } from './picks.ts';
import type { Bounds, SortKey } from './query.ts';
import { comparePositions, isAfter, isGrouped, orderOf } from './ranges.ts';
import {
  type EntryPage,
  earliestNth,
  pageOf,
  positionsIn,
  readWindows,
  type Walk,
} from './walk.ts';

/**
 * Reads up to `limit` entries after `from`, window by window, merged with the positions of
 * `picked`, which are also after `from` and in order. Throws invalid_query if too many items share
 * the first of several keys.
 */
export function readWalk(
  walk: Walk,
  from: Position | undefined,
  limit: number,
  picked: Position[] = [],
): Promise<EntryPage> {
  return isGrouped(walk.order)
    ? readGroups(walk, from, limit, picked)
    : readWindows(walk, from, limit, picked);
}

/**
 * Reads a list sorted by several keys. The index has the first key and the id: reads one group of
 * equal first keys after the other and sorts each in memory.
 */
async function readGroups(
  walk: Walk,
  from: Position | undefined,
  limit: number,
  picked: Position[],
): Promise<EntryPage> {
  const { order, bounds, pace } = walk;
  const inIndex = { ...walk, order: orderOf([order[0] as SortKey]) };
  const first = createFirst(order, limit + 1);
  const sizes = createSizes(bounds.window);
  const startedMs = performance.now();
  let group: Position[] = [];
  let [looked, inGroup] = [0, 0];
  let position = from && startOfGroup(inIndex.order, from);
  for (;;) {
    const size = sizes.next();
    const to = await earliestNth(inIndex, position, size - 1);
    group.push(...(await positionsIn(inIndex, order, { from: position, to })));
    const isOver = (it: Position) => !to || comparePositions(order, it, [to[0] as string]) < 0;
    for (const it of [...group.filter(isOver), ...picked.filter(isOver)]) {
      if (!from || isAfter(order, it, from)) first.add(it);
    }
    group = group.filter((it) => !isOver(it));
    picked = picked.filter((it) => !isOver(it));
    const found = first.positions.map((it) => ({ position: it }));
    if (!to || found.length > limit) return pageOf(found, limit);
    looked += size;
    const isSameGroup = position === undefined || to[0] === position[0];
    inGroup = isSameGroup ? inGroup + size : 0;
    if (inGroup > bounds.most) throw groupTooLarge(order[0] as SortKey, bounds);
    const isSpent =
      looked >= bounds.window * bounds.windows || performance.now() - startedMs > bounds.maxMs;
    if (isSpent && !isSameGroup) return { entries: found, next: [to[0] as string] };
    position = to;
    sizes.taken();
    await pace();
  }
}

/** The position before all items that share the first key of `from`. */
function startOfGroup(order: readonly SortKey[], [value]: Position): Position {
  return [value as string | number, order[1]?.isDescending ? Number.MAX_SAFE_INTEGER : -1];
}

function groupTooLarge({ field }: SortKey, { most }: Bounds): AppError {
  const msg = `More than ${most} items share one ${field}: sort by it alone, or filter them`;
  return new AppError('invalid_query', msg, {
    fields: [{ type: 'too_long', path: ['sort'], msg }],
  });
}
