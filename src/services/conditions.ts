import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

export type FilterOp = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'like' | 'is';
export type FilterValue = string | number | boolean | null;

/**
 * A condition on a field of a list. `values` has one entry, for `in` any number; for `is` it is
 * `null` or `not_null`; for `like` a text in which `*` stands for any text.
 */
export interface Condition<Field extends string> {
  field: Field;
  op: FilterOp;
  values: readonly FilterValue[];
}

const OPERATORS = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** SQL that compares `expression` with the first of `values`; null equals nothing, and `ne` finds it. */
export function compare(expression: SQLWrapper, op: FilterOp, values: readonly FilterValue[]): SQL {
  const [value] = values;
  if (op === 'in') return sql`${expression} in ${listed(values)}`;
  if (op === 'ne') return sql`${expression} is not ${value}`;
  if (op === 'like') return sql`${expression} like ${likePattern(String(value))} escape '\\'`;
  if (op === 'is') {
    return value === 'null' ? sql`${expression} is null` : sql`${expression} is not null`;
  }
  return sql`${expression} ${sql.raw(OPERATORS[op])} ${value}`;
}

/** A list bound as one parameter, so that its length does not change the query's text. */
export function listed(values: readonly FilterValue[]): SQL {
  return sql`(select value from json_each(${JSON.stringify(values)}))`;
}

/** `*` is any text; what LIKE itself would treat as a pattern is taken as it is. */
function likePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
