import type { Page } from '../../../utils/page.ts';
import type { Condition } from '../../conditions.ts';

/** One key of a sort: a field, or `relevance` in a search. */
export interface SortKey<Field extends string = string> {
  field: Field;
  isDescending: boolean;
}

/** A condition on rows. The path leads to a value within a JSON field, in which `is` also allows `true` and `false`. */
export interface Filter<Field extends string = string> extends Condition<Field> {
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
  /** Up to this number, the rows that a filter finds are sorted; more are found in sorted order. */
  few: number;
  /** Rows that are sorted at most. */
  most: number;
  /** Entries of the search index that one step reads. */
  entries: number;
  /** Index entries that are counted, of public and of own rows each; Infinity counts all that pass. */
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

/** A query of a list. */
export interface ListQuery<Field extends string = string, Column extends string = string> {
  filters: readonly Filter<Field>[];
  /** Words in the searched fields of a row; the last may be a prefix. */
  q?: string | undefined;
  /** Default: by relevance with `q`, else newest first. */
  sort?: readonly SortKey[] | undefined;
  /** `only`: the rows in the caller's bin. */
  bin?: 'only' | undefined;
  limit: number;
  cursor?: string | undefined;
  count?: 'exact' | undefined;
  /** The account or network whose share of the event loop a long list uses. */
  share?: string | undefined;
  /** The columns to read in addition to the id. */
  columns: readonly Column[];
}

/** A row of a list, with the requested columns as they are stored. */
export type ListedRow = { id: number } & { [name: string]: string | number | null };

export interface Counted {
  total: number;
  /** True if counting stopped at its bound: there are `total` or more. */
  total_is_capped: boolean;
}

/** `total` and `total_is_capped` are set if the query has `count`. */
export interface ListPage<Row> extends Partial<Counted> {
  data: Row[];
  page: Page;
}
