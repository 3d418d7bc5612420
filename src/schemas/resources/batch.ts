import { t } from 'elysia';
import type { Definition } from '../../resources/declare/definition.ts';
import { namesOf } from '../../resources/declare/words.ts';
import { Choice, Integer, OneOf } from '../kinds.ts';
import type { DocumentSchemas } from './document.ts';

/** Returns the schemas of a batch of changes, whose operations name the row by `one`. */
export function batchSchemas(definition: Definition, { New, Patch }: DocumentSchemas) {
  const { One, one } = namesOf(definition);
  const id = Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [7] });
  const if_match = t.Optional(
    Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: `The version that the caller knows; if the ${one} has another one, the batch fails.`,
    }),
  );
  const key = definition.one;
  const strict = { additionalProperties: false };
  const operation = OneOf('op', {
    create: t.Object({ op: t.Literal('create'), [key]: New }, strict),
    update: t.Object({ op: t.Literal('update'), id, [key]: Patch, if_match }, strict),
    delete: t.Object({ op: t.Literal('delete'), id, if_match }, strict),
  });
  return {
    Batch: t.Object(
      {
        operations: t.Array(operation, {
          minItems: 1,
          maxItems: 1000,
          description: 'Applied in this order.',
        }),
      },
      { title: `${One}Batch` },
    ),
    BatchResults: t.Object({ results: RESULTS }, { title: `${One}BatchResults` }),
  };
}

const RESULTS = t.Array(
  t.Object({
    op: Choice('BatchOperation', ['create', 'update', 'delete']),
    id: Integer(),
    version: Integer(),
  }),
  { description: 'One per operation, in the same order.' },
);
