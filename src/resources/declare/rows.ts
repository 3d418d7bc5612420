import type { Column, Columns } from './column.ts';
import type { SystemFields } from './definition.ts';

/** Makes the compiler print an object type with its fields. */
export type Show<T> = { [K in keyof T]: T[K] } & {};

type Types<C extends Column> = C['~types'];
type OrNull<C extends Column, Value> = Types<C>['isNullable'] extends false ? Value : Value | null;

/** A row as responses show it. */
export type RowOf<
  C extends Columns,
  Bin extends boolean = false,
  Views extends boolean = false,
> = Show<
  SystemFields & {
    -readonly [K in keyof C]: OrNull<C[K], Types<C[K]>['shown']>;
  } & (Bin extends true ? { deleted_at: string | null } : unknown) &
    (Views extends true ? { views: number } : unknown)
>;

/** The fields that a creation must send: they accept no null and have no default. */
type RequiredName<C extends Columns> = {
  [K in keyof C]: Types<C[K]>['isNullable'] extends false
    ? Types<C[K]>['hasDefault'] extends true
      ? never
      : K
    : never;
}[keyof C];

/** The fields of a creation. */
export type NewOf<C extends Columns> = Show<
  { -readonly [K in RequiredName<C>]: OrNull<C[K], Types<C[K]>['sent']> } & {
    -readonly [K in Exclude<keyof C, RequiredName<C>>]?: OrNull<C[K], Types<C[K]>['sent']>;
  }
>;

/** The fields of a change. */
export type PatchOf<C extends Columns> = Show<{
  -readonly [K in keyof C]?: OrNull<C[K], Types<C[K]>['sent']>;
}>;
