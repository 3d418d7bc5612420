import { getTableColumns } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { AnyActor } from '../../../core/actor.ts';
import { fragment, nameOf, raw, tableName } from '../../../core/db/fragment.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import { notRemoved } from '../../accounts/removed.ts';
import { createSearchIndex, fullTextOf } from '../search/pending.ts';
import { searchStream } from '../search/stream.ts';
import { createConditions, storedFilters } from './filters.ts';
import type { Listing } from './listing.ts';
import { rowsById } from './listing.ts';
import { addOwners, usernameById } from './owners.ts';
import type { ListedRow, ListPage, ListQuery } from './query.ts';
import { type ReadListDeps, readList } from './read-list.ts';
import { sectionsFor } from './sections.ts';
import { entriesBeside } from './side-tables.ts';

export interface ResourceListDeps extends ReadListDeps {
  /** The views that are not yet written. */
  views?: { pending(id: number): number };
}

/** The list of a resource. */
export function createResourceList<Field extends string = string, Column extends string = string>(
  def: Definition,
  deps: ResourceListDeps,
) {
  const listing = listingOf(def);
  const pending = createSearchIndex(def, deps);
  const searched = { fields: def.search, index: fullTextOf(def), pending };
  const { read } = deps.db;
  const allColumns = [
    ...Object.values(getTableColumns(def.table)).map(({ name }) => name),
    ...(def.hasViews ? ['views'] : []),
  ];
  /** The rows that the caller may see: sections of the table and, of a rule, rows in them. */
  const visible = async (actor: AnyActor, bin?: 'only') => {
    const sections = sectionsFor(def, actor, bin, await notRemoved(read, def.table.owner_id));
    return { sections, rule: ruleOf(def, actor) };
  };
  return {
    /** The recurring jobs of the list: its search index. */
    jobs: pending ? [pending.job] : [],

    /**
     * A page of the rows that the caller may see, or of the caller's bin, with the usernames of their
     * owners if requested. Throws invalid_cursor for a cursor of another list, invalid_query if too
     * many rows share the first of several keys, and overloaded if too many long lists are being read.
     */
    list: async (
      actor: AnyActor,
      query: ListQuery<Field, Column | 'owner_username'>,
    ): Promise<ListPage<ListedRow>> => {
      const { sections, rule } = await visible(actor, query.bin);
      const columns = query.columns.filter((it) => it !== 'owner_username');
      const page = await readList(deps, listing, {
        ...query,
        filters: storedFilters(def, query.filters),
        scope: [actor.id ?? undefined, query.bin],
        ...{ sections, rule, columns: rule ? allColumns : columns },
        searched: (reading, q) => searchStream(searched, reading, q),
      });
      for (const row of page.data) addPending(deps, row);
      const data = rule ? page.data.map((row) => pick(row, columns)) : page.data;
      if (columns.length < query.columns.length) await addOwners(read, data);
      return { ...page, data };
    },

    /** The rows with some ids, with all columns, by id; without those that the caller may not see. */
    find: async (actor: AnyActor, ids: readonly number[]): Promise<Map<number, ListedRow>> => {
      const found = await rowsById(
        { listing, session: read, ...(await visible(actor)) },
        ids,
        allColumns,
      );
      for (const row of found) addPending(deps, row);
      return new Map(found.map((row) => [row.id, row]));
    },

    /** The username of an account. */
    usernameOf: async (id: number): Promise<string | undefined> =>
      (await usernameById(read, { id }))[0]?.username,
  };
}

const LARGE: ReadonlySet<string> = new Set(['json', 'texts']);

export function listingOf(def: Definition): Listing {
  const { table, tables } = def;
  const columnOf = (field: string): SQLiteColumn =>
    field === 'views' && tables.views ? tables.views.views : (table[field] as SQLiteColumn);
  return {
    name: def.name,
    table,
    joins: tables.views ? joinOf(tables.views, table) : raw(''),
    columnOf,
    isLight: (field) => def.fields.every(({ name, kind }) => name !== field || !LARGE.has(kind)),
    conditionOf: createConditions(def, (field) => nameOf(columnOf(field))),
    entriesBeside: (...options) => entriesBeside(def, ...options),
  };
}

function joinOf(views: NonNullable<Definition['tables']['views']>, { id }: Definition['table']) {
  const row = nameOf(views.row_id);
  return fragment`cross join ${tableName(views.row_id)} on ${row} = ${nameOf(id)}`;
}

function ruleOf({ read }: Definition, actor: AnyActor) {
  return typeof read === 'function' ? (row: ListedRow) => read(actor, row as Row) : undefined;
}

function addPending({ views }: ResourceListDeps, row: ListedRow): void {
  if (views && typeof row['views'] === 'number') row['views'] += views.pending(row.id);
}

function pick(row: ListedRow, names: readonly string[]): ListedRow {
  const values = names.map((name) => [name, row[name] as ListedRow[string]] as const);
  return { ...Object.fromEntries(values), id: row.id };
}
