import { type Column, getTableName } from 'drizzle-orm';

export type Value = string | number | boolean | null | undefined;

/** A part of a query, with the values of its parameters in order. */
export interface Fragment {
  readonly text: string;
  readonly values: readonly Value[];
}

/**
 * Builds a part of a query; values become parameters. It costs a tenth of Drizzle's `sql`, which
 * takes longer to render a list's query than SQLite takes to read a page.
 */
export function fragment(strings: TemplateStringsArray, ...parts: (Fragment | Value)[]): Fragment {
  let text = strings[0] as string;
  const values: Value[] = [];
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (typeof part === 'object' && part !== null) {
      text += part.text;
      values.push(...part.values);
    } else {
      text += '?';
      values.push(part);
    }
    text += strings[index + 1];
  }
  return { text, values };
}

/** A part without parameters. */
export function raw(text: string): Fragment {
  return { text, values: [] };
}

export function joined(parts: readonly Fragment[], separator: string): Fragment {
  return {
    text: parts.map(({ text }) => text).join(separator),
    values: parts.flatMap(({ values }) => values),
  };
}

/** True where all conditions are. */
export function allOf(conditions: readonly Fragment[]): Fragment {
  return conditions.length > 0 ? joined(conditions, ' and ') : raw('true');
}

/** True where one of the conditions is. */
export function anyOf(conditions: readonly Fragment[]): Fragment {
  if (conditions.length === 0) return raw('false');
  return fragment`(${joined(conditions, ' or ')})`;
}

const names = new WeakMap<Column, Fragment>();

/** The quoted name of a column, with its table. */
export function nameOf(column: Column): Fragment {
  const known = names.get(column);
  if (known) return known;
  const name = raw(`"${getTableName(column.table)}"."${column.name}"`);
  names.set(column, name);
  return name;
}

/** The quoted name of a column's table. */
export function tableName({ table }: Column): Fragment {
  return raw(`"${getTableName(table)}"`);
}

/** A list bound as one parameter: its length does not change the text of the query. */
export function valueList(values: readonly Value[]): Fragment {
  return fragment`(select value from json_each(${JSON.stringify(values)}))`;
}
