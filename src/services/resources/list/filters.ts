import { allOf, type Fragment, fragment, raw, valueList } from '../../../core/db/fragment.ts';
import type { Definition, FieldKind } from '../../../resources/declare/definition.ts';
import { compare, type FilterOp, type FilterValue } from '../../conditions.ts';
import type { Filter } from './query.ts';
import { textsCondition } from './side-tables.ts';

/** Returns SQL that is true for the rows that pass a filter, and never null. */
export function createConditions(def: Definition, columnOf: (field: string) => Fragment) {
  const kinds = kindsOf(def);
  return (filter: Filter): Fragment => {
    const { field, op, values } = filter;
    const kind = kinds.get(field);
    if (kind === 'json') return jsonCondition(columnOf(field), filter);
    return kind === 'texts' && op !== 'is'
      ? textsCondition(def, filter)
      : compare(columnOf(field), op, values);
  };
}

/** Filters with their values as they are stored: flags are numbers. */
export function storedFilters(def: Definition, filters: readonly Filter[]): Filter[] {
  const kinds = kindsOf(def);
  return filters.map((filter) => {
    if (kinds.get(filter.field) !== 'flag' || filter.op === 'is') return filter;
    return { ...filter, values: filter.values.map((it) => (String(it) === 'true' ? 1 : 0)) };
  });
}

function kindsOf({ fields }: Definition): Map<string, FieldKind> {
  return new Map(fields.map(({ name, kind }) => [name, kind]));
}

/** Longer values in JSON never match a pattern. */
const MAX_LIKE_LENGTH = 2048;

/** Values compare only with values of the same JSON type: the number 1 is neither true nor '1'. */
function jsonCondition(column: Fragment, { path, op, values }: Filter): Fragment {
  const jsonPath = `$${path.map((key) => `."${key}"`).join('')}`;
  const type = fragment`json_type(${column}, ${jsonPath})`;
  const value = fragment`json_extract(${column}, ${jsonPath})`;
  const compareTo = (operator: FilterOp, other: FilterValue) => {
    const kind = kindOf(other);
    const isKind = fragment`${type} in (${raw(JSON_TYPES[kind])})`;
    if (operator === 'like') {
      const isShort = fragment`length(${value}) <= ${MAX_LIKE_LENGTH}`;
      return allOf([isKind, isShort, compare(value, operator, [other])]);
    }
    const isOrdered = kind === 'number' || kind === 'text';
    return isOrdered ? allOf([isKind, compare(value, operator, [other])]) : isKind;
  };
  const [first = null] = values;
  if (op === 'is') {
    if (first === 'true' || first === 'false') return fragment`${type} is ${first}`;
    return fragment`coalesce(${type}, 'null') ${raw(first === 'null' ? '=' : '<>')} 'null'`;
  }
  if (op === 'ne') return fragment`coalesce(${compareTo('eq', first)}, 0) = 0`;
  if (op !== 'in') return fragment`(${compareTo(op, first)})`;
  // One condition per JSON type: one per value would parse the JSON that many times.
  const ofKind = (kind: string) => valueList(values.filter((each) => kindOf(each) === kind));
  const named = values.map(kindOf).filter((kind) => kind !== 'text' && kind !== 'number');
  const numbers = fragment`${type} in (${raw(JSON_TYPES.number)}) and ${value} in ${ofKind('number')}`;
  const texts = fragment`${type} = 'text' and ${value} in ${ofKind('text')}`;
  return fragment`coalesce(${type} in ${valueList(named)} or (${numbers}) or (${texts}), 0)`;
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
