import { t } from 'elysia';
import {
  Choice,
  Integer,
  IntegerText,
  JsonObject,
  NullableText,
  OneOf,
  Text,
  Timestamp,
} from '../kinds.ts';

const title = Text({ minLength: 1, maxLength: 200, elysiaMeta: 'nfc', examples: ['A warm hutch'] });

/** Optional fields. They have no defaults here, which would overwrite values in a patch. */
const optional = {
  description: t.Optional(
    Text({ maxLength: 10_000, elysiaMeta: 'nfc', examples: ['Straw included.'] }),
  ),
  url: t.Optional(
    NullableText({ maxLength: 2048, format: 'uri', examples: ['https://example.com/hutch'] }),
  ),
  tags: t.Optional(
    t.Array(Text({ minLength: 1, maxLength: 50, elysiaMeta: 'nfc', examples: ['wood'] }), {
      maxItems: 20,
      description: 'Stored in the given order, without duplicates.',
    }),
  ),
  data: t.Optional(
    JsonObject({
      maxBytes: 65_536,
      maxDepth: 20,
      description: 'Any other data, as a JSON object of at most 64 KiB.',
      examples: [{ rabbits: 2 }],
    }),
  ),
  visibility: t.Optional(
    Choice('Visibility', ['public', 'private'], {
      description: 'private: only its owner sees it. Default: public.',
    }),
  ),
};

export const ItemNew = t.Object(
  { title, ...optional },
  { title: 'ItemNew', additionalProperties: false },
);

/** RFC 7396: missing fields stay unchanged; in `data`, null removes a key. */
export const ItemPatch = t.Object(
  { title: t.Optional(title), ...optional },
  { title: 'ItemPatch', additionalProperties: false },
);

export const ItemDocument = t.Object(
  {
    id: Integer({ examples: [7] }),
    owner_id: Integer(),
    title: t.String(),
    description: t.String(),
    url: t.Union([t.String(), t.Null()]),
    tags: t.Array(t.String()),
    data: t.Record(t.String(), t.Any()),
    visibility: Choice('Visibility', ['public', 'private']),
    views: Integer(),
    version: Integer({ description: 'Increases with every change, but not with views.' }),
    created_at: Timestamp(),
    updated_at: Timestamp(),
    deleted_at: t.Union([Timestamp(), t.Null()]),
  },
  { title: 'ItemDocument' },
);

/** The names that `fields` accepts: all fields of an item. */
export const ITEM_FIELDS = Object.keys(ItemDocument.properties) as ItemField[];
export type ItemField = keyof typeof ItemDocument.properties;

const owner = t.Optional(
  t.Object(
    { id: Integer(), username: t.String({ examples: ['ada'] }) },
    { title: 'ItemOwner', description: 'With expand=owner.' },
  ),
);

/** An item as it is read, with its owner if `expand` requests it. */
export const ItemShown = t.Object({ ...ItemDocument.properties, owner }, { title: 'ItemShown' });

const { id: sparseId, ...others } = ItemDocument.properties;

/** The media type of responses with selected fields. */
export const SPARSE_TYPE = 'application/vnd.hutch.sparse+json';

/** An item with selected fields. */
export const ItemSparse = t.Object(
  { id: sparseId, ...t.Partial(t.Object(others)).properties, owner },
  { title: 'ItemSparse', description: 'The id of an item and the fields named in `fields`.' },
);

export const ItemIdParams = t.Object({
  item_id: IntegerText({ minimum: 1, description: 'The id of an item.' }),
});

const id = Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [7] });
const if_match = t.Optional(
  Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'The version that the caller knows; if the item has another one, the batch fails.',
  }),
);
const strict = { additionalProperties: false };

export const ItemBatch = t.Object(
  {
    operations: t.Array(
      OneOf('op', {
        create: t.Object({ op: t.Literal('create'), item: ItemNew }, strict),
        update: t.Object({ op: t.Literal('update'), id, item: ItemPatch, if_match }, strict),
        delete: t.Object({ op: t.Literal('delete'), id, if_match }, strict),
      }),
      { minItems: 1, maxItems: 1000, description: 'Applied in this order.' },
    ),
  },
  { title: 'ItemBatch' },
);

export const ItemBatchResults = t.Object(
  {
    results: t.Array(
      t.Object({
        op: Choice('BatchOperation', ['create', 'update', 'delete']),
        id: Integer(),
        version: Integer(),
      }),
      { description: 'One per operation, in the same order.' },
    ),
  },
  { title: 'ItemBatchResults' },
);
