import { type Static, t } from 'elysia';
import { Page } from './admin-users.ts';
import { ITEM_FIELDS, ItemShown } from './items-v2.ts';
import { Integer, IntegerText, Text } from './kinds.ts';

const q = t.Optional(
  Text({
    maxLength: 10_000,
    description: `Words that the title, the description or the tags hold, all of them, without case and
accents; the last one of two letters or more may be the start of a word, from four letters on of the
first 50 by alphabet. Punctuation says nothing, no word finds nothing, and of more than 32 words the first
32 count. The most relevant have all words in the title, then the newest come first. Of a word that very many
items hold, only the newest 20,000 are looked at for the title, and sorted by anything but relevance
or -id only the newest 20,000 are listed; a page may then be short while has_more is true. Of the
caller's own private items the newest 20,000 are searched.`,
    examples: ['warm hutch'],
  }),
);

const sort = t.Optional(
  Text({
    maxLength: 200,
    description: `Keys with commas between them, \`-\` before one that descends: id, created_at,
updated_at, title, views, and with q relevance, which is best first. The id is the last tie-breaker, in
the direction of the last key; beside views and relevance in the other one. Default: -id, with q
relevance. Several keys are refused where more than 20,000 items share the first.`,
    examples: ['-created_at,title'],
  }),
);

/** Its names are open: api/v2/item-query.ts reads them, and here they are for the document. */
const filter = t.Optional(
  t.Any({
    'x-type': 'object',
    'x-style': 'deepObject',
    additionalProperties: { 'x-type': 'object', additionalProperties: { type: 'string' } },
    description: `\`filter[field][op]=value\`; at most 20, all must hold. Whole numbers (id, owner_id, views, version)
and times (created_at, updated_at): eq ne gt gte lt lte in; title: these and like; url: eq ne in like
is; tags, which has the value among them: eq ne in; visibility (public, private): eq ne in;
\`data.a.b\`, a value inside data by up to 10 keys of letters, digits, _ and -: all of them and is.
owner_id may be \`me\`. in: up to 100 values with commas between them, \`\\,\` for a comma inside of one,
\`\\\\\` for a backslash. like: the whole value, without the case of A to Z, \`*\` for any text, at most five, and of
data texts of up to 2,048 characters.
is: null, not_null, for data also true, false. A value of data is a JSON number, true, false, null or
text in quotes, and anything else is text as it stands; it compares with its own kind alone. ne is what
eq is not, and so finds what has no value. Filters that no index serves look at some 16,000 items a
request: a page may be short, or empty, while has_more is true.`,
    examples: [
      { tags: { eq: 'wood' }, 'data.rabbits': { gte: '2' } },
      { title: { like: '*hutch*' }, url: { is: 'null' } },
      { created_at: { gte: '2026-11-22', lt: '2026-11-23T16:00:00Z' } },
    ],
  }),
);

const shown = {
  fields: t.Optional(
    Text({
      maxLength: 500,
      description: `What is shown beside the id, with commas between them: ${ITEM_FIELDS.join(', ')}.`,
      examples: ['title,tags'],
    }),
  ),
  expand: t.Optional(
    Text({ maxLength: 100, description: 'owner: shows whose it is.', examples: ['owner'] }),
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
  limit: t.Optional(IntegerText({ minimum: 1, maximum: 100, default: 50 })),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 2048, description: 'The next_cursor of the page before.' }),
  ),
};

const ItemsQueryObject = t.Object({ ...known, filter }, { additionalProperties: true });

type Known = Static<ReturnType<typeof t.Object<typeof known>>>;
type Filters = { [name: `filter[${string}][${string}]`]: string | number | boolean };

/** The query of a list of items; for the client also its `filter[field][op]`. */
export const ItemsQuery = Object.assign(t.Unsafe<Known & Filters>(ItemsQueryObject), {
  properties: ItemsQueryObject.properties,
});

export const ItemList = t.Object(
  {
    data: t.Array(ItemShown),
    page: Page,
    total: t.Optional(Integer({ description: 'With count=exact.' })),
    total_is_capped: t.Optional(
      t.Boolean({ description: 'With count=exact: whether there are total or more.' }),
    ),
  },
  { title: 'ItemList' },
);
