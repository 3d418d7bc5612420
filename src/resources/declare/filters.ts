import { EQUAL, type FilterField, type FilterFields, ORDERED } from '../../schemas/filters.ts';
import type { Column } from './column.ts';
import type { Field } from './definition.ts';

const INTEGER = { type: 'integer', ops: ORDERED } as const;
const TIME = { type: 'time', ops: ORDERED } as const;

/** The filters on fields that the engine maintains; `views` needs the option of this name. */
export const SYSTEM_FILTERS = {
  id: INTEGER,
  owner_id: { type: 'account', ops: ORDERED },
  version: INTEGER,
  created_at: TIME,
  updated_at: TIME,
  views: INTEGER,
} as const satisfies FilterFields;

export type SystemFilter = keyof typeof SYSTEM_FILTERS;

type EqualOp = (typeof EQUAL)[number];
type OrderedOp = (typeof ORDERED)[number];

/** The filter on a column. Texts have an order if lists are sorted by them. */
export interface FilterOf<C extends Column, IsSorted extends boolean> {
  type: TypesByKind<C>[C['~types']['kind']];
  ops: readonly (
    | OpsByKind<IsSorted>[C['~types']['kind']]
    | (C['~types']['isNullable'] extends false ? never : 'is')
  )[];
  isNfc?: true;
}

/** The filter on the values in a JSON object. */
export interface JsonFilter {
  type: 'json';
  ops: readonly OpsByKind<false>['json'][];
  hasPath: true;
}

interface TypesByKind<C extends Column> {
  text: 'text';
  integer: 'integer';
  real: 'number';
  flag: readonly ['true', 'false'];
  time: 'time';
  choice: readonly Extract<C['~types']['sent'], string>[];
  json: 'json';
  texts: 'text';
  ref: 'integer';
  visibility: readonly ['public', 'private'];
}

interface OpsByKind<IsSorted extends boolean> {
  text: (IsSorted extends true ? OrderedOp : EqualOp) | 'like';
  integer: OrderedOp;
  real: OrderedOp;
  flag: EqualOp;
  time: OrderedOp;
  choice: EqualOp;
  json: OrderedOp | 'like' | 'is';
  texts: EqualOp;
  ref: EqualOp;
  visibility: EqualOp;
}

/** Returns the filters of a resource, in the order of `names`. */
export function createFilters(
  names: readonly string[],
  fields: readonly Field[],
  sorts: readonly string[],
): FilterFields {
  const entries = names.map((name) => {
    const field = fields.find((it) => it.name === name);
    return [name, field ? filterOf(field, sorts.includes(name)) : systemFilter(name)] as const;
  });
  return Object.fromEntries(entries);
}

function systemFilter(name: string): FilterField {
  return SYSTEM_FILTERS[name as SystemFilter];
}

function filterOf(field: Field, isSorted: boolean): FilterField {
  const { kind, isNullable, isNfc } = field;
  const ops = KINDS[kind].ops;
  const ordered = kind === 'text' && isSorted ? [...ORDERED, 'like' as const] : ops;
  return {
    type: field.choices ?? KINDS[kind].type,
    ops: isNullable && kind !== 'json' ? [...ordered, 'is'] : ordered,
    ...(isNfc && { isNfc: true }),
    ...(kind === 'json' && { hasPath: true }),
  };
}

const KINDS: Record<Field['kind'], Pick<FilterField, 'type' | 'ops'>> = {
  text: { type: 'text', ops: [...EQUAL, 'like'] },
  integer: INTEGER,
  real: { type: 'number', ops: ORDERED },
  flag: { type: ['true', 'false'], ops: EQUAL },
  time: TIME,
  // The texts of a choice are in the field.
  choice: { type: [], ops: EQUAL },
  visibility: { type: [], ops: EQUAL },
  json: { type: 'json', ops: [...ORDERED, 'like', 'is'] },
  texts: { type: 'text', ops: EQUAL },
  ref: { type: 'integer', ops: EQUAL },
};
