import { t } from 'elysia';
import { Page } from '../common.ts';
import { ITEM_FILTERS } from '../filters.ts';
import { Integer, IntegerText, Text } from '../kinds.ts';
import { FilteredQuery, Names } from '../list-query.ts';
import { ITEM_FIELDS, ItemShown, ItemSparse, SPARSE_TYPE } from './items-v2.ts';

const q = t.Optional(
  Text({
    maxLength: 10_000,
    description: `Words that the title, the description or the tags hold, all of them, without case and the accents
of Latin and Greek; the last one of two letters or more may be the start of a word, from four letters on of the
first 50 by alphabet. In Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese each pair of neighbouring letters
is a word, so that any part of a text is found, also a single letter. Punctuation says nothing, no word finds
nothing, and of more than 32 words the first 32 count. The most relevant have all words in the title, then the
newest come first. Of a word that very many
items hold, only the newest 20,000 are looked at for the title, and sorted by anything but relevance
or -id only the newest 20,000 are listed; a page may then be short while has_more is true. Of the
caller's own private items the newest 20,000 are searched.`,
    examples: ['warm hutch'],
  }),
);

/** The keys of a list of items; `-` is descending. */
export const ITEM_SORTS = [
  'id',
  '-id',
  'created_at',
  '-created_at',
  'updated_at',
  '-updated_at',
  'title',
  '-title',
  'views',
  '-views',
  'relevance',
  '-relevance',
] as const;

export type ItemSort = (typeof ITEM_SORTS)[number];

const sort = t.Optional(
  Names(ITEM_SORTS, {
    title: 'ItemSort',
    description: `Keys with commas between them, \`-\` before one that descends; relevance needs q, and the best
comes first. The id is the last tie-breaker, in the direction of the last key; beside views and relevance in
the other one. Default: -id, with q relevance. Several keys are refused where more than 20,000 items share
the first.`,
    examples: [['-created_at', 'title']],
  }),
);

const shown = {
  fields: t.Optional(
    Names(ITEM_FIELDS, {
      title: 'ItemField',
      description: `What is shown beside the id, with commas between the names. The response is then sparse and has
the media type ${SPARSE_TYPE}.`,
      examples: [['title', 'tags']],
    }),
  ),
  expand: t.Optional(
    Names(['owner'], {
      title: 'ItemRelation',
      description: 'owner: shows whose it is.',
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
      description: `What is in the own bin; needs a token. Sorted by anything but id it lists the newest
20,000.`,
    }),
  ),
  count: t.Optional(
    t.Literal('exact', {
      description: `Adds total. Counting reads an entry of an index for each item; it stops at 100,000 of
the public and as many of the own private, or at some 16,000 where each must be looked at.
total_is_capped then says that there are more.`,
    }),
  ),
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'Entries per page, at most.',
    }),
  ),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 2048, description: 'The next_cursor of the page before.' }),
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
    t.Boolean({ description: 'With count=exact: whether there are total or more.' }),
  ),
};

export const ItemList = t.Object({ data: t.Array(ItemShown), ...beside }, { title: 'ItemList' });

/** A list of which `fields` says what is shown of each item. */
export const ItemSparseList = t.Object(
  { data: t.Array(ItemSparse), ...beside },
  { title: 'ItemSparseList' },
);
