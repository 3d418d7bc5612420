import type { Page } from '../../../utils/page.ts';
import type { Condition } from '../../conditions.ts';
import type { Item } from '../rows.ts';

export type SortField = 'id' | 'created_at' | 'updated_at' | 'title' | 'views' | 'relevance';

/** One key of a sort. */
export interface SortKey {
  field: SortField;
  isDescending: boolean;
}

/** A column of an item, or `data` with a path to a value in it. */
export type FilterField = Exclude<keyof Item, 'description' | 'deleted_at'>;

/** A condition on items; `is` on `data` also allows `true` and `false`. */
export interface ItemFilter extends Condition<FilterField> {
  path: readonly string[];
}

/** The bounds of one request: SQLite reads in this process, in steps of a few ms. */
export interface Bounds {
  /** Index entries that one step reads. */
  window: number;
  /** Windows that one request reads: a page that is not full by then is returned short. */
  windows: number;
  /** The time after which a request reads no further window, waiting included. */
  maxMs: number;
  /** Up to this number, the items that a filter finds are sorted; more are found in sorted order. */
  few: number;
  /** Items that are sorted at most. */
  most: number;
  /** Entries of the search index that one step reads. */
  entries: number;
  /** Index entries that are counted, of public and of private items each. */
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

/** A query of a list of items. */
export interface ItemListQuery {
  filters: readonly ItemFilter[];
  /** Words in the title, description or tags of an item; the last may be a prefix. */
  q?: string | undefined;
  /** Default: by relevance with `q`, else newest first. */
  sort?: readonly SortKey[] | undefined;
  /** `only`: the items in the caller's bin. */
  bin?: 'only' | undefined;
  limit: number;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
  /** The account or network whose share of the event loop a long list uses. */
  share?: string | undefined;
  /** The columns to read in addition to the id. */
  columns: readonly ItemColumn[];
}

/** A column of the rows of a list; `tags` and `data` are JSON texts. */
export type ItemColumn = Exclude<keyof Item, 'id'> | 'owner_username';
export type ListedRow = { id: number; relevance?: number } & Partial<
  Record<ItemColumn, string | number | null>
>;

export interface ItemPage {
  data: ListedRow[];
  page: Page;
  /** Set if the query has `count`. */
  total?: number;
  /** True when counting stopped at its bound: there are `total` or more. */
  total_is_capped?: boolean;
}
