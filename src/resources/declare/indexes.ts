import { type SQL, sql } from 'drizzle-orm';
import { type IndexBuilder, index, type SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Definition } from './definition.ts';

/**
 * The rows that one walk of an index visits. `listed`: the rows that everyone with access sees.
 * `private`: the private rows of one owner. `own`: all rows of one owner, where no one else sees any.
 */
export type RowClass = 'listed' | 'private' | 'own';

/** The parts of a definition that decide which indexes its table has. */
export type Indexed = Pick<
  Definition,
  'name' | 'read' | 'hasVisibility' | 'hasBin' | 'sorts' | 'indexed' | 'fields' | 'filters'
>;

type Table = Record<string, SQLiteColumn>;

/** The classes of rows that lists of a resource read, besides those in the bin. */
function rowClasses({ read, hasVisibility }: Indexed): RowClass[] {
  if (hasVisibility) return ['listed', 'private'];
  return read === 'owner' ? ['own'] : ['listed'];
}

/**
 * The condition of the partial indexes of a class, in literals: SQLite uses such an index only if the
 * query has the same text. Undefined if the class holds all rows of the table or of an owner.
 */
function classCondition(
  { hasVisibility, hasBin }: Indexed,
  rowClass: RowClass,
  table: Table,
): SQL | undefined {
  const value = sql.raw(rowClass === 'private' ? "'private'" : "'public'");
  const visibility = hasVisibility ? sql`${columnOf(table, 'visibility')} = ${value}` : undefined;
  const isLive = hasBin ? sql`${columnOf(table, 'deleted_at')} is null` : undefined;
  return allOf(visibility, isLive);
}

/**
 * The name of the index that lists a class by a sort or `id`, or finds its rows by an indexed filter.
 * Undefined if the ids of the table itself serve.
 */
function indexName(of: Indexed, rowClass: RowClass, field: string): string | undefined {
  const { name, hasBin, hasVisibility } = of;
  const holdsAll = !hasBin && !hasVisibility;
  if (rowClass === 'listed') {
    if (field === 'id') return holdsAll ? undefined : `${name}_listed_id`;
    if (field === 'owner_id') return holdsAll ? `${name}_owner_id` : `${name}_listed_owner`;
    return `${name}_listed_${field}`;
  }
  // The indexes of an owner's rows start with the owner.
  if (field === 'id' || field === 'owner_id') {
    return holdsAll ? `${name}_owner_id` : `${name}_${rowClass}_id`;
  }
  return `${name}_${rowClass}_${field}`;
}

/** The name of the index that lists the rows in an owner's bin. */
function binIndexName({ name }: Pick<Definition, 'name'>): string {
  return `${name}_binned`;
}

/** Returns the indexes of a resource's table. */
export function createIndexes(of: Indexed, table: Table): IndexBuilder[] {
  const { name, hasBin, fields } = of;
  const column = (field: string) => columnOf(table, field);
  const isBinned = () => sql`${column('deleted_at')} is not null`;
  const references = fields.filter(({ ref }) => ref !== undefined);
  return [
    ...rowClasses(of).flatMap((rowClass) => classIndexes(of, rowClass, table)),
    // Erasing an account reads its rows, in whatever state they are.
    index(`${name}_owner_id`).on(column('owner_id'), column('id')),
    // So does erasing a referenced row.
    ...references.map((it) => index(`${name}_ref_${it.name}`).on(column(it.name), column('id'))),
    ...(hasBin
      ? [
          index(binIndexName(of)).on(column('owner_id'), column('id')).where(isBinned()),
          index(`${name}_deleted_at`).on(column('deleted_at')).where(isBinned()),
        ]
      : []),
  ];
}

function classIndexes(of: Indexed, rowClass: RowClass, table: Table): IndexBuilder[] {
  const isWithin = classCondition(of, rowClass, table);
  const owner = rowClass === 'listed' ? [] : [columnOf(table, 'owner_id')];
  const fields = ['id', ...of.sorts, ...of.indexed].filter((it) => Object.hasOwn(table, it));
  const made = new Map<string, IndexBuilder>();
  for (const field of fields) {
    const name = indexName(of, rowClass, field);
    if (name === undefined || name === `${of.name}_owner_id` || made.has(name)) continue;
    const last = field === 'id' ? [] : [columnOf(table, field)];
    const columns = [...owner, ...last, columnOf(table, 'id')];
    const condition = allOf(isWithin, hasValue(of, field, table));
    const builder = index(name).on(...(columns as [SQLiteColumn]));
    made.set(name, condition ? builder.where(condition) : builder);
  }
  return [...made.values()];
}

/** Rows without a value need no entry in the index of a filter; a list in order needs them all. */
function hasValue({ fields, sorts }: Indexed, name: string, table: Table): SQL | undefined {
  const isNullable = fields.some((it) => it.name === name && it.isNullable);
  return isNullable && !sorts.includes(name)
    ? sql`${columnOf(table, name)} is not null`
    : undefined;
}

/** Without parentheses, which would make the text another one. */
function allOf(...parts: (SQL | undefined)[]): SQL | undefined {
  const conditions = parts.filter((it) => it !== undefined);
  return conditions.length > 0 ? sql.join(conditions, sql` and `) : undefined;
}

function columnOf(table: Table, name: string): SQLiteColumn {
  const column = table[name];
  if (!column) throw new Error(`The table has no column ${name}`);
  return column;
}
