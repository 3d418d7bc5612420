import type { TSchema } from '@sinclair/typebox';
import type { SQL, SQLWrapper } from 'drizzle-orm';
import type { Definition, FieldKind } from './definition.ts';

/** A column of a declaration: what it stores and what clients send for it. */
export interface ColumnData {
  readonly kind: FieldKind;
  readonly type: 'text' | 'integer' | 'real';
  /** Returns the schema of a value that is not null. `enumName` names a choice in the OpenAPI document. */
  readonly schema: (enumName: string) => TSchema;
  /** Returns the condition that the table checks for values that are not null. */
  readonly check?: (column: SQLWrapper) => SQL;
  readonly isNullable: boolean;
  /** The value of a creation without the field, as clients send it. */
  readonly default?: { readonly value: unknown; readonly isInTable: boolean };
  readonly isNfc: boolean;
  /** The texts of a choice. */
  readonly choices?: readonly string[];
  /** The most bytes of a JSON value. */
  readonly maxBytes?: number;
  readonly ref?: { to(): Definition; readonly onDelete: OnDelete };
}

/** The fate of a row if the row that it references is erased. */
export type OnDelete = 'cascade' | 'restrict' | 'set null';

export interface DefaultOptions {
  /** False for a default that creations set and the table does not have. Default: true. */
  inTable?: boolean;
}

/**
 * A column with its types: `Sent` is the type of its values in requests, `Shown` in responses, and
 * `To` the resource that it references. It is immutable; its methods return a changed copy.
 */
export interface Column<
  Sent = unknown,
  Kind extends FieldKind = FieldKind,
  IsNullable extends boolean = boolean,
  HasDefault extends boolean = boolean,
  Shown = Sent,
  To = unknown,
> {
  readonly data: ColumnData;
  /** Exists only as a type. */
  readonly '~types': ColumnTypes<Sent, Kind, IsNullable, HasDefault, Shown, To>;
  /** Refuses null. Without a default, a creation must then send a value. */
  notNull(): Column<Sent, Kind, false, HasDefault, Shown, To>;
  /** Sets the value of a creation that sends none. */
  default(value: Sent, options?: DefaultOptions): Column<Sent, Kind, IsNullable, true, Shown, To>;
}

interface ColumnTypes<Sent, Kind, IsNullable, HasDefault, Shown, To> {
  sent: Sent;
  shown: Shown;
  kind: Kind;
  isNullable: IsNullable;
  hasDefault: HasDefault;
  to: To;
}

/** The columns of a declaration, by the names of their fields. */
export interface Columns {
  readonly [name: string]: Column;
}

/** Returns a column that accepts null and has no default. */
export function column<Sent, const Kind extends FieldKind, Shown = Sent, To = unknown>(
  data: Omit<ColumnData, 'kind' | 'isNullable' | 'isNfc'> & { kind: Kind; isNfc?: boolean },
): Column<Sent, Kind, true, false, Shown, To> {
  return withMethods<Column<Sent, Kind, true, false, Shown, To>>({
    isNfc: false,
    ...data,
    isNullable: true,
  });
}

function withMethods<C extends Column>(data: ColumnData): C {
  const made = {
    data,
    notNull: () => withMethods({ ...data, isNullable: false }),
    default: (value: unknown, { inTable: isInTable = true }: DefaultOptions = {}) =>
      withMethods({ ...data, default: { value, isInTable } }),
  };
  return made as unknown as C;
}
