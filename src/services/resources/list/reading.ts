import type { Session } from '../../../core/db/db.ts';
import {
  allOf,
  anyOf,
  type Fragment,
  fragment,
  nameOf,
  raw,
  tableName,
} from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import { type Listing, rowsIn, type Section } from './listing.ts';
import type { Bounds, Filter, ListedRow, SortKey } from './query.ts';
import type { Entry } from './stream.ts';

/** A list that is being read. */
export interface Reading {
  listing: Listing;
  session: Session;
  bounds: Bounds;
  pace: Pace;
  order: readonly SortKey[];
  filters: readonly Filter[];
  /** The rows that the caller may see, less those that no filter can let pass. */
  sections: readonly Section[];
  /** The columns to read in addition to the id; all of them if there is a rule. */
  columns: readonly string[];
  /** A condition that only code can check. */
  rule?: ((row: ListedRow) => boolean) | undefined;
}

/** The id and the columns of the sort keys, in their order; with `isWhole` all requested columns. */
export function namesOf({ listing, order, columns, rule }: Reading, isWhole: boolean): string[] {
  const sorts = order.filter(({ field }) => field !== 'relevance');
  const names = sorts.map(({ field }) => listing.columnOf(field).name);
  return [...new Set(['id', ...names, ...(isWhole || rule ? columns : [])])];
}

/** SELECT of columns by their names. */
export function selectionOf(
  { listing }: Pick<Reading, 'listing'>,
  names: readonly string[],
): Fragment {
  return raw(names.map((name) => `${nameOf(listing.columnOf(name)).text} as "${name}"`).join());
}

/** The position of a row, with its rank in a search. */
export function positionOf({ listing, order }: Reading, row: ListedRow, rank = 0): Position {
  return order.map(({ field }) =>
    field === 'relevance' ? rank : (row[listing.columnOf(field).name] as Position[number]),
  );
}

/** The condition for the rows that the caller may see. */
export function isShown({ listing, sections }: Pick<Reading, 'listing' | 'sections'>): Fragment {
  return anyOf(sections.map((it) => allOf([rowsIn(listing, it), ...it.hidden])));
}

/**
 * Reads rows by their ids, in no order. Those that the caller may not see, or that do not meet the
 * condition, are missing.
 */
export async function rowsById(
  reading: Pick<Reading, 'listing' | 'session' | 'sections' | 'rule'>,
  ids: readonly number[],
  names: readonly string[],
  condition = isShown(reading),
): Promise<ListedRow[]> {
  const { listing, session, rule } = reading;
  const { id } = listing.table;
  const rows = await rowsOf<ListedRow>(
    session,
    fragment`select ${selectionOf(reading, names)} from json_each(${JSON.stringify(ids)}) as picked
      cross join ${tableName(id)} on ${nameOf(id)} = picked.value ${listing.joins} where ${condition}`,
  );
  return rule ? rows.filter(rule) : rows;
}

/** The rows of entries, in their order, without rows that the caller may no longer see. */
export async function rowsOfEntries(
  reading: Reading,
  entries: readonly Entry[],
): Promise<ListedRow[]> {
  const missing = entries.filter(({ row }) => !row);
  if (missing.length === 0) return entries.map(({ row }) => row as ListedRow);
  const ids = missing.map(({ position }) => position.at(-1) as number);
  const found = await rowsById(reading, ids, namesOf(reading, true));
  const byId = new Map(found.map((row) => [row.id, row]));
  return entries.flatMap(({ position, row }) => row ?? byId.get(position.at(-1) as number) ?? []);
}
