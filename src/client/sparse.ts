import type { Answer } from './answer.ts';
import type { CallOptions } from './options.ts';

/** Reads a resource or a list: completely, or the fields that `fields` of the query names. */
export type SparseGet<Res, Options> = {
  <const Fields extends FieldsOf<Options> | undefined>(
    options: CallOptions & Options & { query: { fields: Fields } },
  ): Promise<Answer<SparseOf<Res, Fields>>>;
  (options?: CallOptions & Options & { query?: { fields?: undefined } }): Promise<Answer<Res>>;
};

/** The type of `fields` in a query; never, if the query has none. */
export type FieldsOf<Options> = Options extends { query?: infer Query }
  ? string extends keyof Query
    ? never
    : 'fields' extends keyof Query
      ? NonNullable<Query['fields']>
      : never
  : never;

/** The responses to a query with `fields`. */
type SparseOf<Res, Fields> = {
  [Status in keyof Res]: Status extends 200 ? SparseData<Res[Status], Fields> : Res[Status];
};

/**
 * A resource with the selected fields, its id and the fields that `expand` adds. If the selection is
 * not a literal, any of its fields may be missing.
 */
export type Sparse<Thing, Fields> = Fields extends undefined
  ? Thing
  : Fields extends readonly unknown[]
    ? number extends Fields['length']
      ? Named<Thing, never> & Partial<Named<Thing, Fields[number]>>
      : Named<Thing, Fields[number]>
    : Named<Thing, Fields>;

/** Optional fields depend on `expand`. */
type Named<Thing, Name> = Pick<Thing, Extract<keyof Thing, Name | 'id' | OptionalOf<Thing>>>;

type OptionalOf<Thing> = {
  [Key in keyof Thing]-?: undefined extends Thing[Key] ? Key : never;
}[keyof Thing];

/** The data of a response, a resource or a list, with the selected fields. */
export type SparseData<Data, Fields> = Data extends { data: readonly (infer Thing)[] }
  ? { [Key in keyof Data]: Key extends 'data' ? Sparse<Thing, Fields>[] : Data[Key] }
  : Sparse<Data, Fields>;
