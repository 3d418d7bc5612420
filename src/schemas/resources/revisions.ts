import type { TSchema } from '@sinclair/typebox';
import { t } from 'elysia';
import type { Definition } from '../../resources/declare/definition.ts';
import { namesOf } from '../../resources/declare/words.ts';
import { Page } from '../common.ts';
import { Choice, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';
import { documentOf } from './document.ts';

/** Returns the schemas of the history of a row. */
export function revisionSchemas(definition: Definition) {
  const { One, one } = namesOf(definition);
  const { properties } = documentOf(definition);
  const changes = definition.fields.map(({ name }) => [
    name,
    changeOf(properties[name] as TSchema),
  ]);
  const binned = definition.hasBin ? (['delete', 'restore'] as const) : [];
  const Revision = t.Object(
    {
      version: Integer({ description: 'The version that the change created; 1 is the creation.' }),
      action: Choice(`${One}Action`, ['create', 'update', ...binned, 'revert']),
      actor_id: Integer({
        description: `The account that changed the ${one}; it may have been deleted.`,
      }),
      at: Timestamp(),
      changes: t.Object(Object.fromEntries(changes)),
    },
    { title: `${One}Revision` },
  );
  return {
    Revisions: t.Object({ data: t.Array(Revision), page: Page }, { title: `${One}Revisions` }),
    RevisionsQuery: REVISIONS_QUERY,
    Revert: t.Object(
      { version: Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [1] }) },
      { title: `${One}Revert` },
    ),
  };
}

const REVISIONS_QUERY = t.Object({
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

function changeOf(value: TSchema): TSchema {
  return t.Optional(t.Object({ from: value, to: value }));
}
