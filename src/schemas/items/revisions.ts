import { type TSchema, t } from 'elysia';
import { Page } from '../common.ts';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { ItemDocument } from './items-v2.ts';

const changeOf = <T extends TSchema>(value: T) => t.Optional(t.Object({ from: value, to: value }));

const { title, description, url, tags, data, visibility } = ItemDocument.properties;

const ItemRevision = t.Object(
  {
    version: Integer({ description: 'The version that the change created; 1 is the creation.' }),
    action: Choice('ItemAction', ['create', 'update', 'delete', 'restore', 'revert']),
    actor_id: Integer({
      description: 'The account that changed the item; it may have been deleted.',
    }),
    at: Timestamp(),
    changes: t.Object({
      title: changeOf(title),
      description: changeOf(description),
      url: changeOf(url),
      tags: changeOf(tags),
      data: changeOf(data),
      visibility: changeOf(visibility),
    }),
  },
  { title: 'ItemRevision' },
);

export const ItemRevisions = t.Object(
  { data: t.Array(ItemRevision), page: Page },
  { title: 'ItemRevisions' },
);

export const ItemRevisionsQuery = t.Object({
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 50,
      default: 20,
      description: 'The maximum number of entries per page.',
    }),
  ),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 1024, description: 'The next_cursor of the previous page.' }),
  ),
});

export const ItemRevert = t.Object(
  { version: Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [1] }) },
  { title: 'ItemRevert' },
);
