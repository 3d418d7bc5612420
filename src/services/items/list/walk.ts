import { and, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import type { Bounds, ListedRow, SortKey } from './query.ts';
import { comparePositions, type Ends, orderBy, orderOf, rangesOf, type Span } from './ranges.ts';
import type { Stream } from './streams.ts';

/** The state of a walk through a list. */
export interface Walk {
  session: Session;
  bounds: Bounds;
  pace: Pace;
  streams: Stream[];
  order: SortKey[];
  ends: Ends;
  /** The selected columns, and the joins that they need. */
  select: SQL;
  lookUp: SQL;
}

/** The position of an item in a list, with its row if that has been read. */
export interface Entry {
  position: Position;
  row?: ListedRow;
}

/** The entries of a page, and the start of the next page if there may be one. */
export interface EntryPage {
  entries: Entry[];
  next: Position | undefined;
}

/**
 * Reads up to `limit` entries after `from`, window by window, merged with the positions of
 * `picked`, which are also after `from` and in order.
 */
export async function readWindows(
  walk: Walk,
  from: Position | undefined,
  limit: number,
  picked: Position[],
): Promise<EntryPage> {
  const { order } = walk;
  const entries: Entry[] = [];
  let next: Position | undefined;
  let rest = picked;
  for await (const { to, ...span } of windowsOf(walk, from)) {
    const found = await readSpan(walk, { ...span, to }, limit + 1 - entries.length);
    const isIn = (position: Position) => !to || comparePositions(order, position, to) <= 0;
    const own = rest.filter(isIn).map((position) => ({ position }));
    rest = rest.filter((position) => !isIn(position));
    entries.push(...merged(order, found, own));
    if (entries.length > limit) return pageOf(entries, limit);
    next = to;
  }
  return { entries, next };
}

/** A page of at most `limit` entries, from one more than that if there is more. */
export function pageOf(entries: Entry[], limit: number): EntryPage {
  const shown = entries.slice(0, limit);
  return { entries: shown, next: entries.length > limit ? shown.at(-1)?.position : undefined };
}

function merged(order: readonly SortKey[], some: Entry[], others: Entry[]): Entry[] {
  if (others.length === 0) return some;
  return [...some, ...others].sort((a, b) => comparePositions(order, a.position, b.position));
}

/**
 * The spans of a list after `from`, up to its end or the bounds. A list whose conditions an index
 * serves is a single span.
 */
async function* windowsOf(walk: Walk, from?: Position): AsyncGenerator<Span> {
  const { window, windows, maxMs } = walk.bounds;
  const startedMs = performance.now();
  if (!isWindowed(walk)) {
    yield { from, to: undefined };
    return;
  }
  let position = from;
  const sizes = createSizes(window);
  for (let left = window * windows; left > 0 && performance.now() - startedMs < maxMs; ) {
    const size = Math.min(sizes.next(), left);
    const to = await earliestNth(walk, position, size - 1);
    yield { from: position, to };
    if (to === undefined) return;
    left -= size;
    position = to;
    sizes.taken();
    await walk.pace();
  }
}

function isWindowed({ streams }: Walk): boolean {
  return streams.some(({ residual }) => residual.length > 0);
}

/** The earliest position, across the streams, of the entry after `skip` others. */
export async function earliestNth(walk: Walk, from: Position | undefined, skip: number) {
  let earliest: Position | undefined;
  for (const stream of walk.streams) {
    const nth = await nthEntry(walk, stream, from, skip);
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
  const { scan, where, at } = stream;
  let left = skip;
  for (const range of rangesOf(stream, order, ends, { from })) {
    const entries = sql`from ${scan} where ${and(where, range)}`;
    const [row] = await rowsOf<Row>(
      session,
      sql`select ${positionColumns(order, stream)} ${entries} order by ${orderBy(order, at)} limit 1 offset ${left}`,
    );
    if (row) return positionOf(order, row);
    const counting = sql`select count(*) as n from (select 1 ${entries} limit ${left})`;
    left -= (await rowsOf<{ n: number }>(session, counting))[0]?.n ?? 0;
  }
  return undefined;
}

/** The first `limit` entries of a span, merged from the streams. */
async function readSpan(walk: Walk, span: Span, limit: number): Promise<Entry[]> {
  const { session, streams, order, ends, select, lookUp } = walk;
  const [stream] = streams;
  if (!stream) return [];
  const ranges = rangesOf(stream, order, ends, span);
  if (streams.length > 1 || ranges.length > 1) {
    const positions = await positionsIn(walk, order, span, limit);
    return positions.map((position) => ({ position }));
  }
  const { scan, joins, where, residual, at } = stream;
  const rows = await rowsOf<Row>(
    session,
    sql`select ${select} from ${scan} ${joins} ${lookUp} where ${and(where, ...ranges, ...residual)} order by ${orderBy(order, at)} limit ${limit}`,
  );
  return rows.map((row) => ({ position: positionOf(order, row), row }));
}

/** The positions of the entries of a span, by the keys of `order`; unordered without a limit. */
export async function positionsIn(
  walk: Walk,
  order: readonly SortKey[],
  span: Span,
  limit?: number,
): Promise<Position[]> {
  const parts = walk.streams.flatMap((stream) =>
    rangesOf(stream, walk.order, walk.ends, span).map((range) => {
      const { scan, where, residual, at } = stream;
      const needsRows = residual.length > 0 || order !== walk.order;
      const joins = needsRows ? stream.joins : sql``;
      const some = limit === undefined ? sql`` : sql`order by ${orderBy(order, at)} limit ${limit}`;
      return sql`select * from (select ${positionColumns(order, stream)} from ${scan} ${joins} where ${and(where, range, ...residual)} ${some})`;
    }),
  );
  if (parts.length === 0) return [];
  const all = sql.join(parts, sql` union all `);
  const query =
    limit === undefined
      ? all
      : sql`select * from (${all}) order by ${orderBy(order, named)} limit ${limit}`;
  const rows = await rowsOf<Row>(walk.session, query);
  return rows.map((row) => positionOf(order, row));
}

type Row = ListedRow & Record<string, string | number>;

/** The sort keys of a stream, named after their fields. */
function positionColumns(order: readonly SortKey[], { at }: Stream): SQL {
  const columns = order.map(({ field }) => sql`${at(field)} as ${named(field)}`);
  return sql.join(columns, sql`, `);
}

function positionOf(order: readonly SortKey[], row: Row): Position {
  return order.map(({ field }) => row[field] as string | number);
}

function named(field: SortKey['field']): SQL {
  return sql.raw(`"${field}"`);
}

export interface Counted {
  total: number;
  /** True if counting stopped at its bound: there are `total` or more. */
  total_is_capped: boolean;
}

/** Entries counted in one statement: about a millisecond. */
const COUNT_STEP = 10_000;

/** The number of items of a walk, up to the bounds. */
export async function countWalk(walk: Walk): Promise<Counted> {
  const counted: Counted = { total: 0, total_is_capped: false };
  const order = orderOf([walk.order[0] as SortKey]);
  for (const stream of walk.streams) {
    const one = { ...walk, order, streams: [stream] };
    const { total, total_is_capped } =
      stream.residual.length > 0 ? await countRows(one, stream) : await countEntries(one, stream);
    counted.total += total;
    counted.total_is_capped ||= total_is_capped;
  }
  return counted;
}

/** Counts the entries of an index, in steps. */
async function countEntries(walk: Walk, stream: Stream): Promise<Counted> {
  const { counted } = walk.bounds;
  let total = 0;
  for (let from: Position | undefined; total <= counted; ) {
    const step = Math.min(COUNT_STEP, counted + 1 - total);
    const to = await earliestNth(walk, from, step - 1);
    if (!to) {
      total += await countSpan(walk, stream, { from, to });
      break;
    }
    total += step;
    from = to;
    await walk.pace();
  }
  return { total: Math.min(total, counted), total_is_capped: total > counted };
}

/** Counts rows that must be checked, in windows. */
async function countRows(walk: Walk, stream: Stream): Promise<Counted> {
  let total = 0;
  let end: Position | undefined;
  for await (const span of windowsOf(walk)) {
    total += await countSpan(walk, stream, span);
    end = span.to;
  }
  return { total, total_is_capped: end !== undefined };
}

async function countSpan(
  { session, order, ends }: Walk,
  stream: Stream,
  span: Span,
): Promise<number> {
  let total = 0;
  const joins = stream.residual.length > 0 ? stream.joins : sql``;
  for (const range of rangesOf(stream, order, ends, span)) {
    const where = and(stream.where, range, ...stream.residual);
    const counting = sql`select count(*) as n from ${stream.scan} ${joins} where ${where}`;
    total += (await rowsOf<{ n: number }>(session, counting))[0]?.n ?? 0;
  }
  return total;
}
