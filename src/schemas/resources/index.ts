import type { Definition } from '../../resources/declare/definition.ts';
import { batchSchemas } from './batch.ts';
import { documentSchemas } from './document.ts';
import { eventSchemas } from './events.ts';
import { listSchemas } from './list.ts';
import { revisionSchemas } from './revisions.ts';
import { transferSchemas } from './transfer.ts';
import { viewSchemas } from './views.ts';

export type ResourceSchemas = ReturnType<typeof buildSchemas>;

const built = new WeakMap<Definition, ResourceSchemas>();

/** Returns the schemas of a resource, which are built once. */
export function schemasOf(definition: Definition): ResourceSchemas {
  const schemas = built.get(definition) ?? buildSchemas(definition);
  built.set(definition, schemas);
  return schemas;
}

function buildSchemas(definition: Definition) {
  const document = documentSchemas(definition);
  return {
    ...document,
    ...listSchemas(definition, document),
    ...batchSchemas(definition, document),
    ...revisionSchemas(definition),
    ...eventSchemas(definition),
    ...transferSchemas(definition),
    ...viewSchemas(definition),
  };
}
