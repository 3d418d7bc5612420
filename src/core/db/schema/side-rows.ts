import { quoted } from './tokens.ts';

/** A table with rows for the rows of another one. */
export interface SideTable {
  /** The table of the rows. */
  of: string;
  name: string;
  /** The column with the id of the row. */
  rowId: string;
}

/** Fills a table with a row for each text of the JSON lists in `field`. `viewer` is SQL. */
export function fillTexts(
  { of, name, rowId }: SideTable,
  { field, value, viewer }: { field: string; value: string; viewer: string },
): string {
  return `INSERT INTO ${quoted(name)} ("viewer_id", ${quoted(value)}, ${quoted(rowId)})
	SELECT DISTINCT ${viewer}, each.value, row."id"
	FROM ${quoted(of)} AS row, json_each(row.${quoted(field)}) AS each WHERE true
	ON CONFLICT DO NOTHING`;
}

/** Adds the missing rows of a table of views, and corrects which of them are listed. */
export function fillViews({ of, name, rowId }: SideTable, isListed: string): string {
  return `INSERT INTO ${quoted(name)} (${quoted(rowId)}, "is_listed")
	SELECT row."id", ${isListed} FROM ${quoted(of)} AS row WHERE true
	ON CONFLICT DO UPDATE SET "is_listed" = excluded."is_listed"`;
}
