import { beforeAll, describe, expect, test } from 'bun:test';
import { biomeLint, type Finding, oxlint } from './lint.ts';

const faults: [rule: string, file: string, source: string][] = [
  ['noProcessEnv', 'src/services/auth/auth.ts', 'export const port = () => process.env.PORT;'],
  ['noProcessEnv', 'src/cli/serve.ts', 'export const port = () => process.env.PORT;'],
  ['noJsRestrictedProperties', 'src/core/db/db.ts', 'export const port = () => Bun.env.PORT;'],
  ['noJsRestrictedProperties', 'src/cli/quit.ts', 'export const quit = () => process.exit(1);'],
  ['noJsRestrictedProperties', 'src/cli/args.ts', 'export const args = () => process.argv;'],
  ['noDefaultExport', 'src/utils/one.ts', 'export default 1;'],
  ['noConsole', 'src/services/items/items.ts', 'export const say = () => console.log(1);'],
  ['useFilenamingConvention', 'src/utils/mapLimit.ts', 'export const one = 1;'],
  ['useImportExtensions', 'src/utils/two.ts', "export { one } from './one';"],
  ['useImportType', 'src/client.ts', "import { type App } from './app.ts';\nexport type A = App;"],
];

const drizzle = (body: string) => `import { drizzle } from 'drizzle-orm/bun-sqlite';
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core';
const items = sqliteTable('items', { id: integer() });
export async function save() {
  const db = drizzle(':memory:');
  ${body}
}`;

describe('lint rules', () => {
  let found: Finding[];

  beforeAll(async () => {
    found = await biomeLint(Object.fromEntries(faults.map(([, ...file]) => file)));
  });

  test.each(faults)('%s applies in %s', (rule, path) => {
    expect(found).toContainEqual({ rule, path, line: expect.any(Number) });
  });
});

describe('unawaited promises', () => {
  const path = 'src/services/items/items.ts';

  test('are reported for a query', async () => {
    const source = drizzle('db.insert(items).values({ id: 1 });');
    expect(await oxlint({ [path]: source })).toEqual([
      { rule: 'no-floating-promises', path, line: 6 },
    ]);
  });

  test('are not reported for an awaited query', async () => {
    const source = drizzle('await db.insert(items).values({ id: 1 });');
    expect(await oxlint({ [path]: source })).toEqual([]);
  });
});
