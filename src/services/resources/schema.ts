import { getTableName } from 'drizzle-orm';
import { type Derived, derivedFrom } from '../../core/db/schema/derived.ts';
import type { ResourceSchema } from '../../core/db/schema/plan.ts';
import { createStatements } from '../../core/db/schema/render.ts';
import { fillTexts, fillViews } from '../../core/db/schema/side-rows.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import type { TextsTable, ViewsTable } from '../../resources/declare/related-tables.ts';
import { searchTables } from './search/pending.ts';

/** The tables that a resource needs. Those of texts and of the search can be built again. */
export function schemaOf(def: Definition): ResourceSchema {
  const { texts, ...others } = def.tables;
  return {
    resource: def.name,
    tables: [def.table, ...Object.values(others)],
    derived: [
      ...Object.entries(texts).map(([field, table]) => derivedTexts(def, field, table)),
      ...(others.views ? [derivedViews(def, others.views)] : []),
      ...derivedSearch(def),
    ],
  };
}

function derivedTexts(def: Definition, field: string, table: TextsTable): Derived {
  const side = { of: def.name, name: getTableName(table), rowId: table.row_id.name };
  const viewer = viewerOf(def);
  return {
    of: def.name,
    create: createStatements(table),
    fill: [fillTexts(side, { field, value: table.value.name, viewer })],
  };
}

function derivedViews(def: Definition, table: ViewsTable): Derived {
  const side = { of: def.name, name: getTableName(table), rowId: table.row_id.name };
  // Popular lists are the same for all callers, and a rule is not.
  const isListed = typeof def.read === 'function' ? '0' : isListedIn(def);
  return { of: def.name, create: [], fill: [fillViews(side, isListed)] };
}

function derivedSearch(def: Definition): Derived[] {
  const { statements } = searchTables(def);
  return statements.length > 0 ? [derivedFrom(def.name, statements)] : [];
}

/** The account that sees a row in lists: 0 for everyone, -1 for no one (in the bin). */
function viewerOf(def: Definition): string {
  const binned = def.hasBin ? 'WHEN row."deleted_at" IS NOT NULL THEN -1 ' : '';
  return `CASE ${binned}WHEN ${isListedIn(def)} THEN 0 ELSE row."owner_id" END`;
}

/** SQL that is 1 if everyone to whom the resource is open finds the row. */
function isListedIn({ read, hasVisibility, hasBin }: Definition): string {
  if (read === 'owner') return '0';
  const conditions = [
    ...(hasVisibility ? [`row."visibility" = 'public'`] : []),
    ...(hasBin ? ['row."deleted_at" IS NULL'] : []),
  ];
  return conditions.length > 0 ? `(${conditions.join(' AND ')})` : '1';
}
