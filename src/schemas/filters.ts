export const EQUAL = ['eq', 'ne', 'in'] as const;
export const ORDERED = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in'] as const;

export type FilterOp = (typeof ORDERED)[number] | 'like' | 'is';

/** The filters of a list's field: the kind of its values and its operators. */
export interface FilterField {
  type: 'integer' | 'number' | 'account' | 'time' | 'text' | 'name' | 'json' | readonly string[];
  ops: readonly FilterOp[];
  /** True if values are stored and compared in NFC. */
  isNfc?: true;
  /** True if keys inside of the value follow the name after a dot. */
  hasPath?: true;
}

export interface FilterFields {
  [name: string]: FilterField;
}

const INTEGER = { type: 'integer', ops: ORDERED } as const;
const TIME = { type: 'time', ops: ORDERED } as const;
/** The id of an account, or `me`. */
const ACCOUNT = { type: 'account', ops: ORDERED } as const;
/** A text that is compared without case. */
const NAME = { type: 'name', ops: [...EQUAL, 'like'] } as const;
const TRUE_OR_FALSE = { type: ['true', 'false'], ops: EQUAL } as const;

export const ACCOUNT_FILTERS = {
  id: ACCOUNT,
  username: NAME,
  email: NAME,
  role: { type: ['user', 'admin'], ops: EQUAL },
  is_active: TRUE_OR_FALSE,
  email_verified: TRUE_OR_FALSE,
  has_password: TRUE_OR_FALSE,
  created_at: TIME,
  updated_at: TIME,
} as const satisfies FilterFields;

const MAYBE_ACCOUNT = { type: 'account', ops: [...EQUAL, 'is'] } as const;
const MAYBE_TEXT = { type: 'text', ops: [...EQUAL, 'like', 'is'] } as const;

export const AUDIT_FILTERS = {
  id: INTEGER,
  at: TIME,
  actor_id: MAYBE_ACCOUNT,
  user_id: MAYBE_ACCOUNT,
  action: { type: 'text', ops: [...EQUAL, 'like'] },
  address: MAYBE_TEXT,
  request_id: MAYBE_TEXT,
} as const satisfies FilterFields;

/** Maximum number of conditions in both forms together, because each may scan every row. */
export const MAX_FILTERS = 20;

// Members of interfaces, not aliases: the compiler prints an alias by its name, which the
// declarations of the client package would have to contain.
interface Types<Name extends string, F extends FilterField> {
  path: F extends { hasPath: true } ? `${Name}.${string}` : Name;
  /** The parameters `filter[field][op]` of one field. */
  parameters: {
    [Op in F['ops'][number] as `filter[${Types<Name, F>['path']}][${Op}]`]?: Value<F, Op>['sent'];
  };
  /** The conditions on one field as text. */
  where: {
    [Op in F['ops'][number]]: `${Types<Name, F>['path']} ${Op} ${Value<F, Op>['text']}`;
  }[F['ops'][number]];
}

interface Value<F extends FilterField, Op> {
  text: Op extends 'is'
    ? 'null' | 'not_null' | (F extends { type: 'json' } ? 'true' | 'false' : never)
    : Op extends 'in' | 'like'
      ? string
      : F['type'] extends readonly (infer Choice extends string)[]
        ? Choice
        : string;
  sent: string extends Value<F, Op>['text'] ? string | number | boolean : Value<F, Op>['text'];
}

/** The types of a list with these fields. */
export interface ListTypes<Fields extends FilterFields> {
  /** A condition as text, with its field and operator. */
  where: {
    [Name in keyof Fields & string]: Types<Name, Fields[Name]>['where'];
  }[keyof Fields & string];
  parameters: Intersection<
    { [Name in keyof Fields & string]: Types<Name, Fields[Name]>['parameters'] }[keyof Fields &
      string]
  >;
  /** Both forms of conditions, as the client sends them. */
  query: ListTypes<Fields>['parameters'] & {
    where?: ListTypes<Fields>['where'] | readonly ListTypes<Fields>['where'][];
  };
}

type Intersection<Union> = (Union extends unknown ? (it: Union) => void : never) extends (
  it: infer All,
) => void
  ? All
  : never;
