import { getTableName } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import {
  type Fragment,
  fragment,
  nameOf,
  raw,
  tableName,
  valueList,
} from '../../../core/db/fragment.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import type { Section, Source } from './listing.ts';
import type { Filter } from './query.ts';

/** Entries of the tables of texts and views, which have rows of all sections but the bin. */
export function entriesBeside(
  { tables: { texts, views } }: Definition,
  { owner = 0, isBin }: Section,
  field: string,
  filter?: Filter,
): Source | undefined {
  if (field === 'views' && views && owner === 0 && !filter) return byViews(views);
  const side = texts[field];
  // No one sees rows in a bin by their texts.
  if (!side || !filter || isBin) return undefined;
  const id = nameOf(side.row_id);
  const isEqual =
    filter.op === 'eq'
      ? fragment`${nameOf(side.value)} = ${filter.values[0]}`
      : fragment`${nameOf(side.value)} in ${valueList(filter.values)}`;
  return {
    from: tableName(side.value),
    where: fragment`${nameOf(side.viewer_id)} = ${owner} and ${isEqual}`,
    key: id,
    id,
  };
}

/** SQL that is true for rows with one of the texts or, with `ne`, with none of them. */
export function textsCondition(
  { tables: { texts }, table }: Definition,
  { field, op, values }: Filter,
): Fragment {
  const side = texts[field];
  const index = side && raw(`"${getTableName(side)}_${side.row_id.name}"`);
  const found = side
    ? fragment`exists (select 1 from ${tableName(side.value)} indexed by ${index} where ${nameOf(side.row_id)} = ${nameOf(table.id)} and ${nameOf(side.value)} in ${valueList(values)})`
    : fragment`exists (select 1 from json_each(${nameOf(table[field] as SQLiteColumn)}) where value in ${valueList(values)})`;
  return op === 'ne' ? fragment`not ${found}` : found;
}

type ViewsTable = NonNullable<Definition['tables']['views']>;

function byViews(views: ViewsTable): Source {
  const name = getTableName(views);
  return {
    from: raw(`"${name}" indexed by "${name}_all"`),
    where: fragment`${nameOf(views.is_listed)} = 1`,
    key: nameOf(views.views),
    id: nameOf(views.row_id),
  };
}
