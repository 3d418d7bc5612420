import { Database } from 'bun:sqlite';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Migration } from '../src/core/db/embedded-migrations.ts';
import { migrate } from '../src/core/db/migrations.ts';
import { type Catalog, createCatalog } from '../src/core/db/schema/catalog.ts';
import { groupOf, missingDerived } from '../src/core/db/schema/derived.ts';
import { createStatements } from '../src/core/db/schema/render.ts';
import type { Definition } from '../src/resources/declare/definition.ts';
import * as resources from '../src/resources/index.ts';
import { schemaOf } from '../src/services/resources/schema.ts';

/** Reads the migrations as they are now: an import would keep the earlier ones. */
export function readMigrations(folder: string): Migration[] {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const { entries } = JSON.parse(read('meta/_journal.json')) as { entries: Migration[] };
  return entries.map(({ tag, when }) => ({ tag, when, sql: read(`${tag}.sql`) }));
}

/**
 * Returns the statements that the migrations `after` lack for what drizzle-kit does not know, such as
 * the full-text indexes of resources. `before` are the migrations without the new one.
 */
export function missingObjects(
  before: readonly Migration[],
  after: readonly Migration[],
  definitions: readonly Definition[] = Object.values(resources).map((it) => it.definition),
): string[] {
  const schemas = definitions.map(schemaOf);
  const derived = schemas.flatMap((it) => it.derived ?? []);
  using wanted = new Database(':memory:');
  for (const sql of schemas.flatMap((it) => it.tables.flatMap(createStatements))) wanted.run(sql);
  for (const sql of derived.flatMap(({ create }) => create)) wanted.run(sql);
  using old = migrated(before);
  using current = migrated(after);
  const [declared, earlier, later] = [wanted, old, current].map(createCatalog) as [
    Catalog,
    Catalog,
    Catalog,
  ];
  return missingDerived(declared, earlier, later, derived.map(groupOf));
}

function migrated(migrations: readonly Migration[]): Database {
  const client = new Database(':memory:');
  migrate(client, [...migrations]);
  return client;
}
