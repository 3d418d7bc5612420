import type { Db } from '../../../core/db/db.ts';
import type { FairTurns } from '../../../core/fair-turns.ts';
import { type Cursors, readCursor } from '../../../core/security/cursors.ts';
import type { Listing, Section } from './listing.ts';
import { orderOf, shapesOf } from './order.ts';
import { planOf } from './plan.ts';
import { BOUNDS, type Bounds, type ListedRow, type ListPage, type ListQuery } from './query.ts';
import { type Reading, rowsOfEntries } from './reading.ts';
import { sectionsWithin } from './sections.ts';
import { type Stream, takePage } from './stream.ts';

export interface ReadListDeps {
  db: Db;
  cursors: Cursors;
  turns: FairTurns;
  bounds?: Bounds;
}

/** A query, with what the caller may see. */
export interface ListRequest extends ListQuery {
  sections: readonly Section[];
  /** A cursor is valid for this, in addition to the query. */
  scope: unknown;
  rule?: Reading['rule'];
  /** The rows with the words of `q`. */
  searched?(reading: Reading, q: string): Promise<Stream>;
}

/**
 * A page of a list. Throws invalid_cursor for a cursor of another list, invalid_query if too many
 * rows share the first of several keys, and overloaded if too many long lists are being read.
 */
export async function readList(
  { db, cursors, turns, bounds = BOUNDS }: ReadListDeps,
  listing: Listing,
  request: ListRequest,
): Promise<ListPage<ListedRow>> {
  const { q, sort = defaultSort(q), limit, cursor, filters, columns, rule, searched } = request;
  const order = orderOf(sort);
  const scope = JSON.stringify([listing.name, request.scope, q, order, filters]);
  const from = readCursor(cursors, scope, cursor, ...shapesOf(order, isNumber(listing)));
  const pace = turns.paceFor(request.share ?? '');
  const sections = sectionsWithin(request.sections, filters);
  const reading = {
    listing,
    session: db.read,
    bounds,
    pace,
    order,
    filters,
    sections,
    columns,
    rule,
  };
  const isSearch = q !== undefined && searched !== undefined;
  const stream = isSearch ? await searched(reading, q) : await planOf(reading);
  const { entries, next } = await takePage(stream.batches(from, limit + 1), limit, bounds);
  const data = await rowsOfEntries(reading, entries);
  // Reading large rows takes long, and encoding the response does too.
  await pace();
  const next_cursor = next ? cursors.seal(scope, next) : null;
  const page = { next_cursor, has_more: next !== undefined, limit };
  return { data, page, ...(request.count && (await stream.count())) };
}

/** Newest first; with words, most relevant first. */
function defaultSort(q: string | undefined) {
  const isSearch = q !== undefined;
  return [{ field: isSearch ? 'relevance' : 'id', isDescending: !isSearch }];
}

function isNumber(listing: Listing): (field: string) => boolean {
  return (field) => field === 'relevance' || listing.columnOf(field).getSQLType() !== 'text';
}
