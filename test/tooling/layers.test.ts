import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { brokenRules, LAYERS } from './layers.ts';
import { importsOf, readModules } from './modules.ts';

const value = (specifier: string) => `export { thing } from '${specifier}';`;
const type = (specifier: string) => `export type { Thing } from '${specifier}';`;
const lazy = (specifier: string) => `export const thing = () => import('${specifier}');`;

const refused: [file: string, source: string][] = [
  ['src/utils/text.ts', value('../core/cache.ts')],
  ['src/utils/text.ts', value('drizzle-orm')],
  ['src/models/items.ts', value('../services/jobs.ts')],
  ['src/models/items.ts', value('../utils/text.ts')],
  ['src/models/items.ts', value('elysia')],
  ['src/schemas/items.ts', type('../models/items.ts')],
  ['src/schemas/items.ts', "export { Elysia } from 'elysia';"],
  ['src/schemas/items.ts', "import { Elysia, t, type Static } from 'elysia';"],
  ['src/schemas/items.ts', value('drizzle-orm')],
  ['src/core/cache.ts', value('../services/jobs.ts')],
  ['src/core/cache.ts', type('../services/jobs.ts')],
  ['src/core/cache.ts', value('../api/health.ts')],
  ['src/core/cache.ts', value('./deps.ts')],
  ['src/core/cache.ts', value('elysia')],
  ['src/core/deps.ts', value('../schemas/common.ts')],
  ['src/services/auth/totp.ts', type('../../schemas/common.ts')],
  ['src/services/auth/totp.ts', value('../../api/health.ts')],
  ['src/services/auth/totp.ts', type('../../core/deps.ts')],
  ['src/services/auth/totp.ts', value('../../core/../schemas/common.ts')],
  ['src/services/auth/totp.ts', value('./../../core/cache.ts')],
  ['src/services/auth/totp.ts', lazy('elysia')],
  ['src/services/auth/totp.ts', value('@elysia/openapi')],
  ['src/services/auth/totp.ts', "export { env } from 'node:process';"],
  ['src/services/auth/totp.ts', value('bun:sqlite')],
  ['src/api/health.ts', value('../services/jobs.ts')],
  ['src/api/health.ts', type('../models/users.ts')],
  ['src/api/health.ts', value('./v1/items.ts')],
  ['src/api/health.ts', value('drizzle-orm/sqlite-core')],
  ['src/api/health.ts', value('../core/deps.ts')],
  ['src/api/v1/items.ts', value('../../services/jobs.ts')],
  ['src/api/v1/items.ts', value('../../core/cache.ts')],
  ['src/api/v1/items.ts', value('../../core/deps.ts')],
  ['src/api/v1/items.ts', type('../v2/index.ts')],
  ['src/api/v2/auth/totp.ts', type('../../v1/items.ts')],
  ['src/cli/serve.ts', value('../services/jobs.ts')],
  ['src/cli/serve.ts', value('elysia')],
  ['src/app.ts', value('./models/items.ts')],
  ['src/app.ts', value('../test/support.ts')],
  ['src/index.ts', value('elysia')],
  ['src/client.ts', value('./app.ts')],
  ['src/client.ts', value('./core/cache.ts')],
  ['src/client/send.ts', value('../app.ts')],
  ['src/client/send.ts', value('@elysia/eden')],
  ['src/core/cache.ts', value('../../test/support.ts')],
  ['src/elsewhere/thing.ts', value('elysia')],
];

const allowed: [file: string, source: string][] = [
  ['src/models/items.ts', "export { eq } from 'drizzle-orm';"],
  ['src/schemas/items.ts', "import { type Static, t } from 'elysia';"],
  ['src/core/cache.ts', value('../models/items.ts')],
  ['src/core/deps.ts', value('../services/jobs.ts')],
  ['src/services/auth/totp.ts', value('../../core/cache.ts')],
  ['src/api/health.ts', type('../core/deps.ts')],
  ['src/api/health.ts', value('../core/exceptions.ts')],
  ['src/api/v1/items.ts', type('../../services/jobs.ts')],
  ['src/api/v2/auth/totp.ts', value('../../../core/exceptions.ts')],
  ['src/cli/serve.ts', value('../core/deps.ts')],
  ['src/client/tree.ts', type('../app.ts')],
];

describe('the import rules', () => {
  // proves: 15.2.3
  test.each(refused)('forbid %s: %s', (path, source) => {
    expect(brokenRules(path, source)).not.toEqual([]);
  });

  test.each(allowed)('allow %s: %s', (path, source) => {
    expect(brokenRules(path, source)).toEqual([]);
  });

  test('are followed by all files of src', async () => {
    const modules = await readModules(join(import.meta.dir, '../..'), 'src');
    const layers = LAYERS.map(({ files }) =>
      [...modules.keys()].filter((path) => files.some((it) => path.startsWith(it))),
    );
    expect(layers.filter((files) => files.length === 0)).toEqual([]);
    expect([...modules].flatMap(([path, source]) => brokenRules(path, source))).toEqual([]);
  });

  test('distinguish type imports from other imports', () => {
    const source = [
      "import type { A } from './a.ts';",
      "import { type B } from './b.ts';",
      "import { c, type D } from './c.ts';",
      "export type { E } from '../e.ts';",
      "const f = () => import('./f.ts');",
      "import 'elysia';",
    ].join('\n');
    expect(importsOf('src/core/x.ts', source).sort((a, b) => (a.to < b.to ? -1 : 1))).toEqual([
      { to: 'elysia', isTypeOnly: false },
      { to: 'src/core/a.ts', isTypeOnly: true },
      { to: 'src/core/b.ts', isTypeOnly: true },
      { to: 'src/core/c.ts', isTypeOnly: false },
      { to: 'src/core/f.ts', isTypeOnly: false },
      { to: 'src/e.ts', isTypeOnly: true },
    ]);
  });
});
