import { t } from 'elysia';
import { Page } from '../common.ts';
import { ITEM_FILTERS } from '../filters.ts';
import { Integer, IntegerText, Text } from '../kinds.ts';
import { FilteredQuery, Names } from '../list-query.ts';
import { ITEM_FIELDS, ItemShown, ItemSparse, SPARSE_TYPE } from './items-v2.ts';

const q = t.Optional(
  Text({
    maxLength: 10_000,
    description: `Words that the title, description or tags must all contain, ignoring case and the accents of
Latin and Greek. The last word, from two letters on, may be a prefix; from four letters on it matches the first
50 words with that prefix in alphabetical order. In Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese each
pair of adjacent letters is a word, so that any part of a text is found, also a single letter. Punctuation is
ignored, a query without words finds nothing, and only the first 32 words count. Items with all words in the
title are most relevant; then newer items are first. For a word in very many items, only the newest 20,000 are
checked for the title, and in any order but relevance or -id only the newest 20,000 are listed; a page may then
be short while has_more is true. Of the caller's private items the newest 20,000 are searched.`,
    examples: ['warm hutch'],
  }),
);

/** The keys of a list of items; `-` is descending. */
const SORT_FIELDS = ['id', 'created_at', 'updated_at', 'title', 'views', 'relevance'] as const;
export const ITEM_SORTS = SORT_FIELDS.flatMap((field) => [field, `-${field}`] as const);
export type ItemSort = (typeof ITEM_SORTS)[number];

const sort = t.Optional(
  Names(ITEM_SORTS, {
    title: 'ItemSort',
    description: `Keys separated by commas, with \`-\` for descending order; relevance needs q and sorts the best
match first. The id is the last tie-breaker, in the direction of the last key; after views and relevance in the
opposite one. Default: -id, with q relevance. Several keys are refused if more than 20,000 items share the
first.`,
    examples: [['-created_at', 'title']],
  }),
);

const shown = {
  fields: t.Optional(
    Names(ITEM_FIELDS, {
      title: 'ItemField',
      description: `The fields to return in addition to the id, separated by commas. The response is then sparse and
has the media type ${SPARSE_TYPE}.`,
      examples: [['title', 'tags']],
    }),
  ),
  expand: t.Optional(
    Names(['owner'], {
      title: 'ItemRelation',
      description: 'owner: adds the owner of the item.',
      examples: [['owner']],
    }),
  ),
};

/** The query of one item. */
export const ItemQuery = t.Object(shown);

const known = {
  q,
  sort,
  ...shown,
  bin: t.Optional(
    t.Literal('only', {
      description: `Lists the items in the caller's bin; needs a token. In any order but id it lists the newest
20,000.`,
    }),
  ),
  count: t.Optional(
    t.Literal('exact', {
      description: `Adds total. Counting reads an index entry per item; it stops at 100,000 public and as many
private items, or at about 16,000 if each row must be checked. total_is_capped is then true.`,
    }),
  ),
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'The maximum number of entries per page.',
    }),
  ),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 2048, description: 'The next_cursor of the previous page.' }),
  ),
};

/** The query of a list of items. */
export const ItemsQuery = FilteredQuery(known, ITEM_FILTERS, [
  'tags eq wood',
  'data.rabbits gte 2',
  'created_at lt 2026-11-23T16:00:00Z',
]);

const beside = {
  page: Page,
  total: t.Optional(Integer({ description: 'With count=exact.' })),
  total_is_capped: t.Optional(
    t.Boolean({ description: 'With count=exact: true if there are total or more.' }),
  ),
};

export const ItemList = t.Object({ data: t.Array(ItemShown), ...beside }, { title: 'ItemList' });

/** A list of items with selected fields. */
export const ItemSparseList = t.Object(
  { data: t.Array(ItemSparse), ...beside },
  { title: 'ItemSparseList' },
);
