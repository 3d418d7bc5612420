import { t } from 'elysia';
import { Integer, IntegerText, NullableText, Text, Timestamp } from '../kinds.ts';

export const ItemCreate = t.Object(
  {
    title: Text({ minLength: 1, maxLength: 200, elysiaMeta: 'nfc', examples: ['A warm hutch'] }),
    description: t.Optional(
      Text({ maxLength: 10_000, default: '', elysiaMeta: 'nfc', examples: ['Straw included.'] }),
    ),
    url: t.Optional(
      NullableText({
        maxLength: 2048,
        format: 'uri',
        default: null,
        examples: ['https://example.com/hutch'],
      }),
    ),
  },
  { title: 'ItemCreate' },
);

/** PUT replaces: missing fields are set to their defaults. */
export const ItemUpdate = ItemCreate;

export const ItemPublic = t.Object(
  {
    id: Integer({ examples: [7] }),
    title: t.String(),
    description: t.String(),
    url: t.Union([t.String(), t.Null()]),
    views: Integer(),
    owner_id: Integer(),
    created_at: Timestamp(),
    updated_at: Timestamp(),
  },
  { title: 'Item' },
);

export const ItemsPublic = t.Array(ItemPublic);

export const ItemParams = t.Object({ item_id: IntegerText({ description: 'The id of an item.' }) });

export const PopularQuery = t.Object({
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 10,
      description: 'The maximum number of items.',
    }),
  ),
});
