import { Column, is } from 'drizzle-orm';
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core';
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
import { rendered, rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import type { Position } from '../../../utils/page.ts';
import type { Bounds, Filter, ListedRow, SortKey } from './query.ts';
import type { Entry } from './stream.ts';

/** The table of a list, and how its fields are read. */
export interface Listing {
  /** The plural name of its rows. It is part of cursors and messages. */
  readonly name: string;
  readonly table: SQLiteTable & { id: SQLiteColumn };
  /** The joins that make all columns available. */
  readonly joins: Fragment;
  /** The column that a sort or a filter on a field compares. */
  columnOf(field: string): SQLiteColumn;
  /** SQL that is true for the rows that pass a filter, and never null. */
  conditionOf(filter: Filter): Fragment;
  /** True if a condition on the field reads little of a row. */
  isLight(field: string): boolean;
  /** Entries of a section outside of the table's own indexes. */
  entriesBeside?(section: Section, field: string, filter?: Filter): Source | undefined;
}

/**
 * A part of the table that the caller may see. Indexes contain the rows of one section only, so that
 * no list has to skip hidden rows.
 */
export interface Section {
  /** The condition of its indexes as they spell it; empty if they contain all rows. */
  condition: string;
  /** The only owner whose rows are in the section; owner_id is then the first column of its indexes. */
  owner?: number | undefined;
  /** Values that are equal in all rows of the section. */
  known: Record<string, string | number>;
  /** True for rows in the bin. */
  isBin?: true;
  /** Further conditions: none, unless accounts are being erased. */
  hidden: readonly Fragment[];
}

/** Entries of an index, ordered by `key` and `id`. */
export interface Source {
  /** FROM with the name of the index, and the condition that it serves. */
  from: Fragment;
  where: Fragment;
  key: Fragment;
  id: Fragment;
  /** True for an index of the table itself. */
  isOwn?: true;
}

/** The condition for the rows of a section. */
export function rowsIn({ table }: Listing, { condition, owner }: Section): Fragment {
  const isOwn = owner === undefined ? [] : [fragment`${ownerOf(table)} = ${owner}`];
  return allOf([...isOwn, ...(condition ? [raw(condition)] : [])]);
}

/** The rows of a section in the order of a field; undefined without such an index. */
export function sortedBy(listing: Listing, section: Section, field: string): Source | undefined {
  const beside = listing.entriesBeside?.(section, field);
  if (beside) return beside;
  const { table } = listing;
  const column = listing.columnOf(field);
  const index = indexOf(table, section, field === 'id' ? [] : [column.name]);
  if (!index && field !== 'id') return undefined;
  const hint = index ? `indexed by "${index}"` : section.owner === undefined ? 'not indexed' : '';
  return {
    from: fragment`${tableName(table.id)} ${raw(hint)}`,
    where: rowsIn(listing, section),
    key: nameOf(column),
    id: nameOf(table.id),
    isOwn: true,
  };
}

/** The rows that pass a filter for equal values, by id; undefined without an index. */
export function equalTo(listing: Listing, section: Section, filter: Filter): Source | undefined {
  const { field, op } = filter;
  if (op !== 'eq' && op !== 'in') return undefined;
  if (field in section.known) return sortedBy(listing, section, 'id');
  const beside = listing.entriesBeside?.(section, field, filter);
  if (beside) return beside;
  const source = sortedBy(listing, section, field);
  return (
    source && { ...source, where: fragment`${listing.conditionOf(filter)} and ${source.where}` }
  );
}

function ownerOf(table: SQLiteTable): Fragment {
  return nameOf(Reflect.get(table, 'owner_id') as SQLiteColumn);
}

const indexesOf = new WeakMap<SQLiteTable, Map<string, string>>();

/** The name of the index with these columns and then the id, of the rows of a section alone. */
function indexOf(table: SQLiteTable, { condition, owner }: Section, columns: string[]) {
  const indexes = indexesOf.get(table) ?? readIndexes(table);
  indexesOf.set(table, indexes);
  return indexes.get([...(owner === undefined ? [] : ['owner_id']), ...columns, condition].join());
}

/** The names of a table's indexes, by their columns and conditions. */
function readIndexes(table: SQLiteTable): Map<string, string> {
  const { name: tableName, indexes } = getTableConfig(table);
  const named = indexes.flatMap(({ config: { name, columns, where } }): [string, string][] => {
    if (!columns.every((it) => is(it, Column))) return [];
    const names = columns.map((it) => (it as Column).name);
    // SQLite appends the row's id to each entry.
    if (names.at(-1) === 'id') names.pop();
    const condition = where ? rendered(where).text : '';
    // An equal value is not null.
    const isNotNull = ` and "${tableName}"."${names.at(-1)}" is not null`;
    return [[[...names, condition.replace(isNotNull, '')].join(), name]];
  });
  return new Map(named.reverse());
}

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
function isShown({ listing, sections }: Pick<Reading, 'listing' | 'sections'>): Fragment {
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

/** The conditions for rows that were found by their ids. */
export function conditionsOf(reading: Reading, sections: readonly Section[]): Fragment {
  return allOf([
    isShown({ ...reading, sections }),
    ...reading.filters.map(reading.listing.conditionOf),
  ]);
}
