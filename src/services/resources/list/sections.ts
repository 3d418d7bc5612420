import type { AnyActor } from '../../../core/actor.ts';
import { type Fragment, nameOf } from '../../../core/db/fragment.ts';
import type { Definition } from '../../../resources/declare/definition.ts';
import { passes } from '../../conditions.ts';
import type { Section } from './listing.ts';
import type { Filter } from './query.ts';

/**
 * The sections that the caller may see, or those of their bin. `hidden` are conditions on the rows of
 * other accounts.
 */
export function sectionsFor(
  def: Definition,
  actor: AnyActor,
  bin: 'only' | undefined,
  hidden: readonly Fragment[],
): Section[] {
  const { id } = actor;
  if (bin) return id === null ? [] : [binOf(def, id)];
  if (def.read === 'owner') return id === null ? [] : [ownOf(def, id)];
  if (!mayList(def, actor)) return [];
  const listed = { ...listedRows(def), hidden };
  return id === null || !def.hasVisibility ? [listed] : [listed, ownOf(def, id)];
}

/** The rows that everyone sees who may read any. */
export function listedRows(def: Definition): Section {
  const known: Section['known'] = def.hasVisibility ? { visibility: 'public' } : {};
  return { condition: conditionOf(def, 'public'), known, hidden: [] };
}

/** The sections in which rows may pass the filters. */
export function sectionsWithin(
  sections: readonly Section[],
  filters: readonly Filter[],
): Section[] {
  return sections.filter(({ known }) =>
    filters.every((filter) => {
      const value = known[filter.field];
      return value === undefined || passes(filter, value);
    }),
  );
}

/** Rows that are listed for others too are in the section of listed rows. */
function ownOf(def: Definition, owner: number): Section {
  const known = { owner_id: owner, ...(def.hasVisibility && { visibility: 'private' }) };
  return { condition: conditionOf(def, 'private'), owner, known, hidden: [] };
}

function binOf({ table }: Definition, owner: number): Section {
  const condition = `${deletedAt(table)} is not null`;
  return { condition, owner, known: { owner_id: owner }, isBin: true, hidden: [] };
}

function mayList({ read }: Definition, { id, role }: AnyActor): boolean {
  if (read === 'admin') return role === 'admin' || role === 'system';
  return read !== 'user' || id !== null;
}

/** Spelled as in the indexes: resources/declare/indexes.ts. */
function conditionOf(
  { table, hasVisibility, hasBin }: Definition,
  visibility: 'public' | 'private',
): string {
  const isVisible = hasVisibility
    ? [`${nameOf(table['visibility'] as never).text} = '${visibility}'`]
    : [];
  return [...isVisible, ...(hasBin ? [`${deletedAt(table)} is null`] : [])].join(' and ');
}

function deletedAt(table: Definition['table']): string {
  return nameOf(table['deleted_at'] as never).text;
}
