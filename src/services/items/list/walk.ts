import { and, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import { createSizes } from '../../../utils/time/window-sizes.ts';
import { comparePositions, orderBy } from './order.ts';
import type { Bounds, ListedRow, SortKey } from './query.ts';
import { type Ends, type Span, segmentsOf } from './segments.ts';
import type { Stream } from './streams.ts';

/** All that a list is walked with. */
export interface Walk {
  session: Session;
  bounds: Bounds;
  pace: Pace;
  streams: Stream[];
  order: SortKey[];
  ends: Ends;
  /** The columns, and the tables that they need beside those of the streams. */
  select: SQL;
  lookUp: SQL;
}

/** An item where it stands in a list; with its row, if that was read already. */
export interface Entry {
  position: Position;
  row?: ListedRow;
}

/** Entries of a page, and the position that the next page starts from if there may be more. */
export interface Read {
  entries: Entry[];
  next: Position | undefined;
}

/**
 * Reads up to `limit` entries after `from`, window by window, together with `picked`, which are
 * further positions after `from` in order.
 */
export async function readWindows(
  walk: Walk,
  from: Position | undefined,
  limit: number,
  picked: Position[],
): Promise<Read> {
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

/** A page of entries, of which one more than `limit` tells that there are more. */
export function pageOf(entries: Entry[], limit: number): Read {
  const shown = entries.slice(0, limit);
  return { entries: shown, next: entries.length > limit ? shown.at(-1)?.position : undefined };
}

function merged(order: readonly SortKey[], some: Entry[], others: Entry[]): Entry[] {
  if (others.length === 0) return some;
  return [...some, ...others].sort((a, b) => comparePositions(order, a.position, b.position));
}

/**
 * The spans of a list after `from`, until its end or the bounds. Where an index alone decides, all
 * of it is one.
 */
export async function* windowsOf(walk: Walk, from?: Position): AsyncGenerator<Span> {
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

/** The earliest position, among the streams, of the entry that follows `skip` others. */
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
  for (const segment of segmentsOf(stream, order, ends, { from })) {
    const entries = sql`from ${scan} where ${and(where, segment)}`;
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

/** The entries of a span, merged from the streams: of each no more than are needed. */
async function readSpan(walk: Walk, span: Span, limit: number): Promise<Entry[]> {
  const { session, streams, order, ends, select, lookUp } = walk;
  const [stream] = streams;
  if (!stream) return [];
  const segments = segmentsOf(stream, order, ends, span);
  if (streams.length > 1 || segments.length > 1) {
    const positions = await positionsIn(walk, order, span, limit);
    return positions.map((position) => ({ position }));
  }
  const { scan, joins, where, residual, at } = stream;
  const rows = await rowsOf<Row>(
    session,
    sql`select ${select} from ${scan} ${joins} ${lookUp} where ${and(where, ...segments, ...residual)} order by ${orderBy(order, at)} limit ${limit}`,
  );
  return rows.map((row) => ({ position: positionOf(order, row), row }));
}

/** The positions, by the keys of `order`, of the entries of a span; without a limit in no order. */
export async function positionsIn(
  walk: Walk,
  order: readonly SortKey[],
  span: Span,
  limit?: number,
): Promise<Position[]> {
  const parts = walk.streams.flatMap((stream) =>
    segmentsOf(stream, walk.order, walk.ends, span).map((segment) => {
      const { scan, where, residual, at } = stream;
      const needsRows = residual.length > 0 || order !== walk.order;
      const joins = needsRows ? stream.joins : sql``;
      const some = limit === undefined ? sql`` : sql`order by ${orderBy(order, at)} limit ${limit}`;
      return sql`select * from (select ${positionColumns(order, stream)} from ${scan} ${joins} where ${and(where, segment, ...residual)} ${some})`;
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

/** What a stream is sorted by, each under the name of its field, as rows have it. */
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
