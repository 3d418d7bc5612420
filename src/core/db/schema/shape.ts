/** A connection of bun:sqlite or node:sqlite. */
export interface Queryable {
  // biome-ignore lint/suspicious/noExplicitAny: both libraries have their own types of values.
  prepare(sql: string): { all(...values: any[]): unknown[] };
}

/** The definition of a table, in a form in which equal definitions are equal values. */
export interface TableShape {
  name: string;
  sql: string;
  isStrict: boolean;
  /** True if the types of columns are enforced: by STRICT, by the checks that replace it, or as row ids. */
  isTyped: boolean;
  hasRowId: boolean;
  isAutoIncrement: boolean;
  columns: ColumnShape[];
  checks: CheckShape[];
  references: ReferenceShape[];
  indexes: IndexShape[];
}

export interface ColumnShape {
  name: string;
  /** In upper case. */
  type: string;
  isRequired: boolean;
  default: string | null;
  /** The place in the primary key, from 1; 0 outside of it. */
  key: number;
  isGenerated: boolean;
}

export interface CheckShape {
  /** The normalized expression. */
  text: string;
  /** The expression as written. */
  sql: string;
  /** The names of the columns that it uses. */
  columns: string[];
}

export interface ReferenceShape {
  columns: string[];
  table: string;
  to: string[];
  onUpdate: string;
  onDelete: string;
}

export interface IndexShape {
  name: string;
  sql: string;
  /** The normalized definition without the name. */
  body: string;
  isUnique: boolean;
  /** The names of its columns, without expressions. */
  columns: string[];
}

/** All rows of a query. */
export function rowsOf<R>(client: Queryable, sql: string, ...values: unknown[]): R[] {
  return client.prepare(sql).all(...values) as R[];
}
