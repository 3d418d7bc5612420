import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';
import type { Resource } from '../src/resources/declare/definition.ts';
import { tablesOf } from '../src/resources/declare/tables.ts';
import { searchTables } from '../src/services/resources/search/pending.ts';
import { type TestAppOptions, testApp } from './support.ts';

/** The whole application with resources and their tables. */
export async function appWith(
  resources: Record<string, Resource>,
  options: Omit<TestAppOptions, 'resources'> = {},
) {
  const t = await testApp({ ...options, resources });
  for (const statement of await statementsOf(Object.values(resources))) {
    t.deps.db.client.run(statement);
  }
  return t;
}

async function statementsOf(resources: Resource[]): Promise<string[]> {
  const tables = resources.flatMap(({ definition }) => tablesOf(definition));
  const named = Object.fromEntries(tables.map((table, index) => [`t${index}`, table]));
  const [from, to] = [await generateSQLiteDrizzleJson({}), await generateSQLiteDrizzleJson(named)];
  const created = (await generateSQLiteMigration(from, to)).map((statement) =>
    statement.startsWith('CREATE TABLE') ? statement.replace(/\);\s*$/, ') STRICT') : statement,
  );
  return [
    ...created,
    ...resources.flatMap(({ definition }) => searchTables(definition).statements),
  ];
}
