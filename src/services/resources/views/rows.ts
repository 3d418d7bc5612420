import { sql } from 'drizzle-orm';
import { prepareChange } from '../../../core/db/query.ts';
import type { Definition, Row } from '../../../resources/declare/definition.ts';
import type { RowAccess } from '../access.ts';
import type { RowEffect } from '../effects.ts';
import { tablesOf } from '../statements.ts';

/** Keeps the row that counts the views of each row; popular lists show only what many may read. */
export function createViewRows(
  def: Definition,
  { isListed }: Pick<RowAccess, 'isListed'>,
): RowEffect {
  const { views, rowId } = tablesOf(def);
  const p = sql.placeholder;
  type Listed = { row_id: number; is_listed: number };
  const insert = prepareChange<Listed>(
    sql`insert into ${views} (${rowId}, is_listed) values (${p('row_id')}, ${p('is_listed')})`,
  );
  const update = prepareChange<Listed>(
    sql`update ${views} set is_listed = ${p('is_listed')} where ${rowId} = ${p('row_id')}`,
  );
  // Popular lists are the same for all callers, and a rule is not.
  const isPopular = (row: Row) => typeof def.read !== 'function' && isListed(row);
  return async (tx, { old, row }) => {
    // A foreign key deletes the views of an erased row.
    if (!row) return;
    const is_listed = Number(isPopular(row));
    if (!old) await insert(tx, { row_id: row.id, is_listed });
    else if (isPopular(old) !== isPopular(row)) await update(tx, { row_id: row.id, is_listed });
  };
}
