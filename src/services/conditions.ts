import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

export type FilterOp = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'like' | 'is';
export type FilterValue = string | number | boolean | null;

/**
 * A condition on a field. `values` has one entry, or any number for `in`. For `is` it is `null` or
 * `not_null`; for `like` it is a pattern in which `*` matches any text.
 */
export interface Condition<Field extends string> {
  field: Field;
  op: FilterOp;
  values: readonly FilterValue[];
}

const OPERATORS = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** SQL comparing `expression` with the first of `values`. Null equals nothing, and `ne` matches it. */
export function compare(expression: SQLWrapper, op: FilterOp, values: readonly FilterValue[]): SQL {
  const [value] = values;
  if (op === 'in') return sql`${expression} in ${valueList(values)}`;
  if (op === 'ne') return sql`${expression} is not ${value}`;
  if (op === 'like') return sql`${expression} like ${likePattern(String(value))} escape '\\'`;
  if (op === 'is') {
    return value === 'null' ? sql`${expression} is null` : sql`${expression} is not null`;
  }
  return sql`${expression} ${sql.raw(OPERATORS[op])} ${value}`;
}

/** A list bound as one parameter: its length does not change the text of the query. */
export function valueList(values: readonly FilterValue[]): SQL {
  return sql`(select value from json_each(${JSON.stringify(values)}))`;
}

/** Translates `*` to LIKE and escapes the wildcards of LIKE itself. */
function likePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
