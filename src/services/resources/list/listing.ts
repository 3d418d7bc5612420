import { Column, is } from 'drizzle-orm';
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import {
  allOf,
  type Fragment,
  fragment,
  nameOf,
  raw,
  tableName,
} from '../../../core/db/fragment.ts';
import { rendered } from '../../../core/db/query.ts';
import type { Filter } from './query.ts';

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
