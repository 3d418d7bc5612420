import { sql } from 'drizzle-orm';
import { prepareChange } from '../../core/db/query.ts';
import type { Definition, Field, Row } from '../../resources/declare/definition.ts';
import { singular } from '../../resources/declare/names.ts';
import { isBinned, type RowAccess } from './access.ts';
import type { RowEffect } from './effects.ts';
import { tablesOf } from './statements.ts';

/** The viewer of rows that everyone sees in lists, and of rows that no one sees. */
const EVERYONE = 0;
const NO_ONE = -1;

/** The tables of the lists of texts that filters search. Items have triggers for theirs. */
export function textTablesOf({ one, fields, filters }: Definition): TextTable[] {
  return fields
    .filter(({ name, kind }) => kind === 'texts' && Object.hasOwn(filters, name))
    .map((field) => ({ field, table: `${one}_${field.name}`, column: singular(field.name) }));
}

/** A table with a row for each text of a list, such as the tags of notes in `note_tags`. */
export interface TextTable {
  field: Field;
  table: string;
  /** The name of the column that holds the text. */
  column: string;
}

/** Keeps a table with the texts of a list, which filters search. */
export function createTextRows(
  def: Definition,
  { field, table, column }: TextTable,
  { isListed }: Pick<RowAccess, 'isListed'>,
): RowEffect {
  const { rowId } = tablesOf(def);
  const p = sql.placeholder;
  const into = sql.identifier(table);
  const insert = prepareChange<{ viewer_id: number; text: string; row_id: number }>(
    sql`insert into ${into} (viewer_id, ${sql.identifier(column)}, ${rowId}) values (${p('viewer_id')}, ${p('text')}, ${p('row_id')})`,
  );
  const clear = prepareChange<{ row_id: number }>(
    sql`delete from ${into} where ${rowId} = ${p('row_id')}`,
  );
  const viewerOf = (row: Row) => {
    if (isBinned(row)) return NO_ONE;
    return isListed(row) ? EVERYONE : row.owner_id;
  };
  const isEmpty = (row: Row) => row[field.name] === null || row[field.name] === '[]';
  return async (tx, { old, row }) => {
    // A foreign key deletes the texts of an erased row.
    if (!row || (old && old[field.name] === row[field.name] && viewerOf(old) === viewerOf(row)))
      return;
    if (old && !isEmpty(old)) await clear(tx, { row_id: row.id });
    if (isEmpty(row)) return;
    const texts = new Set(JSON.parse(row[field.name] as string) as string[]);
    for (const text of texts) {
      await insert(tx, { viewer_id: viewerOf(row), text, row_id: row.id });
    }
  };
}
