import { and, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../core/db.ts';
import { rowsOf } from '../core/dynamic-query.ts';
import { AppError } from '../core/exceptions.ts';
import { items, itemViews } from '../models/index.ts';
import type { Position } from '../utils/cursor.ts';
import type { Bounds, ListedRow, SortKey } from './item-list-query.ts';
import { comparePositions, isGrouped, orderBy } from './item-order.ts';
import { type Ends, type Span, segmentsOf } from './item-segments.ts';
import type { Stream } from './item-streams.ts';

/** How many entries the first window has, and by what the next ones grow: the first may be dear. */
const FIRST_WINDOW = 125;
const GROWTH = 4;

/** All that a page is read with. */
export interface Walk {
  session: Session;
  bounds: Bounds;
  streams: Stream[];
  order: SortKey[];
  ends: Ends;
  /** The columns, and the tables that they need beside those of the streams. */
  select: SQL;
  lookUp: SQL;
}

/** Rows of a page, and the position that the next one starts from if there may be more. */
interface Read {
  rows: ListedRow[];
  next: Position | undefined;
}

/** Reads up to `limit` items after `from`, window by window. Throws as `windowsOf`. */
export async function readPage(
  walk: Walk,
  from: Position | undefined,
  limit: number,
): Promise<Read> {
  const rows: Row[] = [];
  let next: Position | undefined;
  for await (const span of windowsOf(walk, from)) {
    rows.push(...(await readSpan(walk, span, limit + 1 - rows.length)));
    if (rows.length > limit) {
      const shown = rows.slice(0, limit);
      return { rows: shown, next: positionOf(walk.order, shown.at(-1) as Row) };
    }
    next = span.to;
  }
  return { rows, next };
}

/**
 * The spans of a list after `from`, each for one turn of the event loop, until its end or the
 * bounds. Where an index alone decides, all of it is one. Throws invalid_query when too many items
 * share the first of several keys.
 */
export async function* windowsOf(walk: Walk, from?: Position): AsyncGenerator<Span> {
  const { window, windows, maxMs } = walk.bounds;
  let position = from;
  let spentMs = 0;
  for (let turn = 0; turn < windows && spentMs < maxMs; turn++) {
    if (turn > 0) await new Promise((resolve) => setImmediate(resolve));
    const startedMs = performance.now();
    const size = Math.min(window, FIRST_WINDOW * GROWTH ** turn);
    const to = isWindowed(walk) ? await windowEnd(walk, position, size) : undefined;
    yield { from: position, to };
    if (to === undefined) return;
    spentMs += performance.now() - startedMs;
    position = to;
  }
}

type Row = ListedRow & Record<string, string | number>;

function isWindowed({ streams, order }: Walk): boolean {
  const walks = streams.filter(({ isSet }) => !isSet);
  return (
    walks.length > 0 && (isGrouped(order) || walks.some(({ residual }) => residual.length > 0))
  );
}

/** Where the window that starts at `from` ends; undefined when it reaches the end of the list. */
async function windowEnd(walk: Walk, from: Position | undefined, size: number) {
  const { order, bounds } = walk;
  if (!isGrouped(order)) return earliestNth(walk, from, size - 1);
  const start = from ?? (await earliestNth(walk, from, 0));
  for (const most of [size, bounds.most]) {
    const end = await earliestNth(walk, from && [from[0] as string], most);
    if (!end || end[0] !== start?.[0]) return end;
  }
  throw groupTooLarge(order[0] as SortKey, bounds);
}

function groupTooLarge({ field }: SortKey, { most }: Bounds): AppError {
  const msg = `More than ${most} items share one ${field}: sort by it alone, or filter them`;
  return new AppError('invalid_query', msg, {
    problems: [{ type: 'too_long', loc: ['query', 'sort'], msg }],
  });
}

/** The earliest position, among the streams, of the entry that follows `skip` others. */
async function earliestNth(walk: Walk, from: Position | undefined, skip: number) {
  let earliest: Position | undefined;
  for (const stream of walk.streams) {
    const nth = stream.isSet ? undefined : await nthEntry(walk, stream, from, skip);
    if (nth && (!earliest || comparePositions(walk.order, nth, earliest) < 0)) earliest = nth;
  }
  return earliest;
}

async function nthEntry(
  { session, order, ends }: Walk,
  stream: Stream,
  from: Position | undefined,
  skip: number,
): Promise<Position | undefined> {
  const keys = isGrouped(order) ? order.slice(0, 1) : order;
  const { scan, where, at } = stream;
  for (const segment of segmentsOf(stream, order, ends, { from })) {
    const [row] = await rowsOf<Row>(
      session,
      sql`select ${positionColumns(keys, stream)} from ${scan} where ${and(where, segment)} order by ${orderBy(keys, at)} limit 1 offset ${skip}`,
    );
    if (row) return positionOf(keys, row);
  }
  return undefined;
}

/** The rows of a span, merged from the streams: of each no more than are needed. */
async function readSpan(walk: Walk, span: Span, limit: number): Promise<Row[]> {
  const { session, streams, order, ends, select, lookUp } = walk;
  const parts = streams.flatMap((stream) =>
    segmentsOf(stream, order, ends, span).map((segment) => ({ stream, segment })),
  );
  const [first, ...others] = parts;
  if (!first) return [];
  if (others.length === 0 && !first.stream.isSet) {
    const { joins } = first.stream;
    return rowsOf<Row>(session, partOf(walk, first, select, sql`${joins} ${lookUp}`, limit));
  }
  // Found and merged by what they are sorted by alone: whole rows are read for those that are shown.
  const found = parts.map((part) => {
    const { stream } = part;
    const needsJoins = stream.isSet || stream.residual.length > 0 || isGrouped(order);
    const joins = needsJoins ? stream.joins : sql``;
    return sql`select * from (${partOf(walk, part, positionColumns(order, stream), joins, limit)})`;
  });
  const isRanked = order.some(({ field }) => field === 'relevance');
  const rank = isRanked ? sql`, ${inFound('relevance')}` : sql``;
  return rowsOf<Row>(
    session,
    sql`select ${select}${rank} from (${sql.join(found, sql` union all `)} order by ${orderBy(order, named)} limit ${limit}) as found cross join ${items} on ${items.id} = found.id cross join ${itemViews} on ${itemViews.item_id} = found.id ${lookUp} order by ${orderBy(order, inFound)}`,
  );
}

interface Part {
  stream: Stream;
  segment: SQL;
}

function partOf(
  { order }: Walk,
  { stream: { scan, where, residual, at }, segment }: Part,
  columns: SQL,
  joins: SQL,
  limit: number,
): SQL {
  return sql`select ${columns} from ${scan} ${joins} where ${and(where, segment, ...residual)} order by ${orderBy(order, at)} limit ${limit}`;
}

/** What a stream is sorted by, each under the name of its field, as rows have it. */
function positionColumns(order: readonly SortKey[], { at }: Stream): SQL {
  const columns = order.map(({ field }) => sql`${at(field)} as ${named(field)}`);
  return sql.join(columns, sql`, `);
}

function positionOf(order: readonly SortKey[], row: Row): Position {
  return order.map(({ field }) => row[field] as string | number);
}

function inFound(field: SortKey['field']): SQL {
  return sql.raw(`found."${field}"`);
}

function named(field: SortKey['field']): SQL {
  return sql.raw(`"${field}"`);
}
