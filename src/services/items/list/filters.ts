import { and, type SQL, sql } from 'drizzle-orm';
import { items, itemTags, itemViews } from '../../../models/items.ts';
import { compare, type FilterOp, type FilterValue, valueList } from '../../conditions.ts';
import type { FilterField, ItemFilter } from './query.ts';

/** SQL that is true for the items that pass `filter`, and never null. */
export function conditionOf(filter: ItemFilter): SQL {
  const { field, op, values } = filter;
  if (field === 'data') return dataCondition(filter);
  if (field === 'tags') return tagsCondition(filter);
  const column = field === 'views' ? itemViews.views : items[field];
  return compare(sql`${column}`, op, values);
}

/** True if items whose `field` is `value` may pass the filters. */
export function mayPass(
  filters: readonly ItemFilter[],
  field: FilterField,
  value: string | number,
) {
  return filters.every((filter) => filter.field !== field || passes(filter, value));
}

function passes({ op, values }: ItemFilter, value: string | number): boolean {
  const other = values[0] as string | number;
  if (op === 'in') return values.includes(value);
  if (op === 'eq') return value === other;
  if (op === 'ne') return value !== other;
  if (op === 'gt' || op === 'gte') return value > other || (op === 'gte' && value === other);
  return value < other || (op === 'lte' && value === other);
}

function tagsCondition({ op, values }: ItemFilter): SQL {
  const found = sql`exists (select 1 from ${itemTags} indexed by item_tags_item_id where ${itemTags.item_id} = ${items.id} and ${itemTags.tag} in ${valueList(values)})`;
  return op === 'ne' ? sql`not ${found}` : found;
}

/** Longer values in data never match a pattern. */
const MAX_LIKE_LENGTH = 2048;

/** Values compare only with values of the same JSON type: the number 1 is neither true nor '1'. */
function dataCondition({ path, op, values }: ItemFilter): SQL {
  const jsonPath = `$${path.map((key) => `."${key}"`).join('')}`;
  const type = sql`json_type(${items.data}, ${jsonPath})`;
  const value = sql`json_extract(${items.data}, ${jsonPath})`;
  const compareTo = (operator: FilterOp, other: FilterValue) => {
    const kind = kindOf(other);
    const isKind = sql`${type} in (${sql.raw(JSON_TYPES[kind])})`;
    if (operator === 'like') {
      const isShort = sql`length(${value}) <= ${MAX_LIKE_LENGTH}`;
      return and(isKind, isShort, compare(value, operator, [other])) as SQL;
    }
    return kind === 'number' || kind === 'text'
      ? (and(isKind, compare(value, operator, [other])) as SQL)
      : isKind;
  };
  const [first = null] = values;
  if (op === 'is') {
    if (first === 'true' || first === 'false') return sql`${type} is ${first}`;
    return sql`coalesce(${type}, 'null') ${sql.raw(first === 'null' ? '=' : '<>')} 'null'`;
  }
  if (op === 'ne') return sql`coalesce(${compareTo('eq', first)}, 0) = 0`;
  if (op !== 'in') return compareTo(op, first);
  // One condition per JSON type: one per value would parse the data that many times.
  const ofKind = (kind: string) => values.filter((each) => kindOf(each) === kind);
  const named = values
    .map((each) => kindOf(each))
    .filter((kind) => kind !== 'text' && kind !== 'number');
  const numbers = sql`${type} in (${sql.raw(JSON_TYPES.number)}) and ${value} in ${valueList(ofKind('number'))}`;
  const texts = sql`${type} = 'text' and ${value} in ${valueList(ofKind('text'))}`;
  return sql`coalesce(${type} in ${valueList(named)} or (${numbers}) or (${texts}), 0)`;
}

const JSON_TYPES = {
  number: `'integer', 'real'`,
  text: `'text'`,
  true: `'true'`,
  false: `'false'`,
  null: `'null'`,
};

function kindOf(value: FilterValue): keyof typeof JSON_TYPES {
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' ? 'text' : (String(value) as 'true' | 'false' | 'null');
}
