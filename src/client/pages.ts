import { orThrow, type Settled } from './answer.ts';
import type { Sparse, SparseData } from './sparse.ts';

/** A route that lists by cursor, such as `hutch.v2.items`. */
export interface Listing {
  get: (...args: never[]) => Promise<Settled>;
}

/** The options of a listing's `get`. */
export type OptionsOf<L extends Listing> = NonNullable<Parameters<L['get']>[0]>;

/** The options of a listing's `get` that select fields; never, if it has none. */
export type SparseOptionsOf<L extends Listing> = L['get'] extends {
  (options: infer Options extends { query: { fields: unknown } }): Promise<Settled>;
  (...args: never[]): Promise<Settled>;
}
  ? Options
  : never;

/** A page of a listing. */
export type PageOf<L extends Listing> = Extract<
  Awaited<ReturnType<L['get']>>,
  { error: null }
>['data'];

/** An entry of a listing. */
export type EntryOf<L extends Listing> =
  PageOf<L> extends { data: readonly (infer Entry)[] } ? Entry : never;

/** The entries of a listing, or its pages. */
export interface Paged<Entry, Page> extends AsyncIterable<Entry> {
  byPage(): AsyncGenerator<Page, void, unknown>;
}

/**
 * Iterates over all entries of a listing: `for await (const item of pages(hutch.v2.items))`. Pages are
 * requested when they are needed. Throws the HutchError of a call that fails.
 */
export function pages<
  L extends Listing,
  const Fields extends SparseOptionsOf<L>['query']['fields'],
>(
  listing: L,
  options: SparseOptionsOf<L> & { query: { fields: Fields } },
): Paged<Sparse<EntryOf<L>, Fields>, SparseData<PageOf<L>, Fields>>;
export function pages<L extends Listing>(
  listing: L,
  options?: OptionsOf<L>,
): Paged<EntryOf<L>, PageOf<L>>;
export function pages<L extends Listing>(listing: L, options?: OptionsOf<L>): unknown {
  const byPage = () => eachPage(listing, options) as AsyncGenerator<PageOf<L>, void, unknown>;
  return {
    byPage,
    async *[Symbol.asyncIterator]() {
      for await (const page of byPage()) yield* (page as AnyPage).data as EntryOf<L>[];
    },
  };
}

interface AnyPage {
  data: unknown[];
  page: { next_cursor: string | null };
}

async function* eachPage(listing: Listing, options: { query?: object } = {}) {
  const get = listing.get as (options: object) => Promise<Settled>;
  let cursor: { cursor?: string } = {};
  for (;;) {
    const query = { ...options.query, ...cursor };
    const page = orThrow(await get({ ...options, query })) as AnyPage;
    yield page;
    if (page.page.next_cursor === null) return;
    cursor = { cursor: page.page.next_cursor };
  }
}
