import { type Fragment, fragment, raw, valueList } from '../core/db/fragment.ts';

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

/**
 * SQL that compares `expression` with the first of `values`. Null equals nothing, and `ne` matches
 * it.
 */
export function compare(
  expression: Fragment,
  op: FilterOp,
  values: readonly FilterValue[],
): Fragment {
  const [value] = values;
  if (op === 'in') return fragment`${expression} in ${valueList(values)}`;
  if (op === 'ne') return fragment`${expression} is not ${value}`;
  if (op === 'like') {
    return fragment`${expression} like ${likePattern(String(value))} escape ${raw("'\\'")}`;
  }
  if (op === 'is') return fragment`${expression} is ${raw(value === 'null' ? '' : 'not ')}null`;
  return fragment`${expression} ${raw(OPERATORS[op])} ${value}`;
}

/** True for values that pass the condition, as in SQL. */
export function passes({ op, values }: Condition<string>, value: string | number): boolean {
  const other = values[0] as string | number;
  if (op === 'in') return values.includes(value);
  if (op === 'eq') return value === other;
  if (op === 'ne') return value !== other;
  if (op === 'is') return other === 'not_null';
  if (op === 'gt' || op === 'gte') return value > other || (op === 'gte' && value === other);
  return value < other || (op === 'lte' && value === other);
}

/** Translates `*` to LIKE and escapes the wildcards of LIKE itself. */
function likePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
