import type { Page } from '../../../utils/page.ts';
import type { Condition } from '../../conditions.ts';

export type SortField = 'id' | 'created_at' | 'updated_at' | 'title' | 'views' | 'relevance';

/** One key of a sort. */
export interface SortKey {
  field: SortField;
  isDescending: boolean;
}

/** A column, or `data` with the keys that lead to a value in it. */
export type FilterField =
  | 'id'
  | 'owner_id'
  | 'title'
  | 'url'
  | 'tags'
  | 'data'
  | 'visibility'
  | 'version'
  | 'views'
  | 'created_at'
  | 'updated_at';

/** A condition on items; `is` of `data` may also be `true` or `false`. */
export interface ItemFilter extends Condition<FilterField> {
  path: readonly string[];
}

/** How much one request may look at: SQLite reads in this process, in steps of a few ms. */
export interface Bounds {
  /** Most entries of an index that one step looks at. */
  window: number;
  /** As many full windows one request looks at: a page that is not full by then is a short one. */
  windows: number;
  /** As long one request looks on, waiting included. */
  maxMs: number;
  /** As many as these, items that a filter finds are sorted; more are looked for in sorted order. */
  few: number;
  /** Most items that are sorted at all. */
  most: number;
  /** Most entries of the search index that one step reads. */
  entries: number;
  /** Most entries of an index that are counted, of each of public and private items. */
  counted: number;
}

export const BOUNDS: Bounds = {
  window: 1_000,
  windows: 20,
  maxMs: 250,
  few: 20_000,
  most: 20_000,
  entries: 16_000,
  counted: 100_000,
};

/** Which items, in which order, from where and how many of them. */
export interface ItemListQuery {
  filters: readonly ItemFilter[];
  /** Words that an item's title, description or tags hold; the last may be the start of one. */
  q?: string | undefined;
  /** Default: relevance with `q`, else the newest first. */
  sort?: readonly SortKey[] | undefined;
  /** `only`: what the caller has in the bin. */
  bin?: 'only' | undefined;
  limit: number;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
  /** Whose share of the event loop a long list takes. */
  share?: string | undefined;
  /** The columns that are read beside the id. */
  columns: readonly ItemColumn[];
}

export const ITEM_COLUMNS = [
  'owner_id',
  'title',
  'description',
  'url',
  'tags',
  'data',
  'visibility',
  'views',
  'version',
  'created_at',
  'updated_at',
  'deleted_at',
  'owner_username',
] as const;

/** A column of a list's rows, which may have more; `tags` and `data` are JSON texts. */
export type ItemColumn = (typeof ITEM_COLUMNS)[number];
export type ListedRow = { id: number; relevance?: number } & Partial<
  Record<ItemColumn, string | number | null>
>;

export interface ItemPage {
  data: ListedRow[];
  page: Page;
  /** With `count`. */
  total?: number;
  /** True when counting stopped at its bound: there are `total` or more. */
  total_is_capped?: boolean;
}
