import type { Answer } from './answer.ts';
import type { CallOptions } from './options.ts';

/** Reads a thing or a list: whole, or what `fields` of the query names. */
export type SparseGet<Res, Options> = {
  <const Fields extends FieldsOf<Options> | undefined>(
    options: CallOptions & Options & { query: { fields: Fields } },
  ): Promise<Answer<SparseOf<Res, Fields>>>;
  (options?: CallOptions & Options & { query?: { fields?: undefined } }): Promise<Answer<Res>>;
};

/** What `fields` of a query takes; never, where a query has none. */
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
 * A thing of which `fields` names what is shown, beside its id and what `expand` adds. A list that
 * is not written out where it is sent may name any of its fields.
 */
export type Sparse<Thing, Fields> = Fields extends undefined
  ? Thing
  : Fields extends readonly unknown[]
    ? number extends Fields['length']
      ? Named<Thing, never> & Partial<Named<Thing, Fields[number]>>
      : Named<Thing, Fields[number]>
    : Named<Thing, Fields>;

/** Of what is optional, `expand` says whether it is shown. */
type Named<Thing, Name> = Pick<Thing, Extract<keyof Thing, Name | 'id' | OptionalOf<Thing>>>;

type OptionalOf<Thing> = {
  [Key in keyof Thing]-?: undefined extends Thing[Key] ? Key : never;
}[keyof Thing];

/** The data of a response, one thing or a list, of which `fields` names what is shown. */
export type SparseData<Data, Fields> = Data extends { data: readonly (infer Thing)[] }
  ? { [Key in keyof Data]: Key extends 'data' ? Sparse<Thing, Fields>[] : Data[Key] }
  : Sparse<Data, Fields>;
