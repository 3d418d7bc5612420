import { beforeAll, describe, expect, test } from 'bun:test';
import { biomeLint, type Finding } from './lint.ts';

const value = (specifier: string) => `export { thing } from '${specifier}';`;
const type = (specifier: string) => `export type { Thing } from '${specifier}';`;
const lazy = (specifier: string) => `export const thing = () => import('${specifier}');`;

const forbiddenImports: [file: string, source: string][] = [
  ['src/utils/text.ts', value('../core/config.ts')],
  ['src/utils/text.ts', value('../models/items.ts')],
  ['src/utils/text.ts', value('drizzle-orm')],
  ['src/models/items.ts', value('../services/items.ts')],
  ['src/models/items.ts', value('../utils/text.ts')],
  ['src/models/items.ts', value('elysia')],
  ['src/schemas/items.ts', value('../models/items.ts')],
  ['src/schemas/items.ts', type('../models/items.ts')],
  ['src/schemas/items.ts', "export { Elysia } from 'elysia';"],
  ['src/schemas/items.ts', value('drizzle-orm')],
  ['src/core/cache.ts', value('../services/items.ts')],
  ['src/core/cache.ts', value('../schemas/items.ts')],
  ['src/core/cache.ts', value('../api/errors.ts')],
  ['src/core/cache.ts', value('./deps.ts')],
  ['src/core/cache.ts', value('elysia')],
  ['src/core/deps.ts', value('../schemas/items.ts')],
  ['src/core/deps.ts', value('../api/errors.ts')],
  ['src/core/deps.ts', value('elysia')],
  ['src/services/items.ts', value('../schemas/items.ts')],
  ['src/services/items.ts', type('../schemas/items.ts')],
  ['src/services/items.ts', value('../api/errors.ts')],
  ['src/services/items.ts', value('../core/deps.ts')],
  ['src/services/items.ts', type('../core/deps.ts')],
  ['src/services/items.ts', value('../core/../schemas/items.ts')],
  ['src/services/items.ts', value('elysia')],
  ['src/services/items.ts', type('elysia')],
  ['src/services/items.ts', lazy('elysia')],
  ['src/services/items.ts', value('@elysia/openapi')],
  ['src/api/auth.ts', value('../services/auth.ts')],
  ['src/api/auth.ts', value('../models/users.ts')],
  ['src/api/openapi/headers.ts', value('../../services/auth.ts')],
  ['src/api/openapi/headers.ts', value('../v2/items.ts')],
  ['src/api/auth.ts', value('./v1/items.ts')],
  ['src/api/auth.ts', value('drizzle-orm/sqlite-core')],
  ['src/api/auth.ts', "export { createDeps } from '../core/deps.ts';"],
  ['src/api/v1/items.ts', value('../../services/items.ts')],
  ['src/api/v1/items.ts', type('../../services/items.ts')],
  ['src/api/v1/items.ts', value('../../models/items.ts')],
  ['src/api/v1/items.ts', value('../../core/db.ts')],
  ['src/api/v1/items.ts', "export { createDeps } from '../../core/deps.ts';"],
  ['src/api/v1/items.ts', value('../v2/items.ts')],
  ['src/api/v1/items.ts', value('drizzle-orm')],
  ['src/api/v2/items.ts', value('../v1/items.ts')],
  ['src/api/v2/items.ts', type('../v1/items.ts')],
  ['src/cli/serve.ts', value('../services/users.ts')],
  ['src/cli/serve.ts', value('../models/users.ts')],
  ['src/cli/serve.ts', value('../schemas/users.ts')],
  ['src/cli/serve.ts', value('elysia')],
  ['src/app.ts', value('./services/items.ts')],
  ['src/app.ts', value('./models/items.ts')],
  ['src/app.ts', value('./schemas/items.ts')],
  ['src/server.ts', value('./services/items.ts')],
  ['src/server.ts', value('drizzle-orm')],
  ['src/index.ts', value('./models/items.ts')],
  ['src/index.ts', value('elysia')],
  ['src/client/tree.ts', "export { createApp } from '../app.ts';"],
  ['src/client.ts', "export { createApp } from './app.ts';"],
  ['src/client.ts', value('./core/config.ts')],
  ['src/client.ts', value('elysia')],
  ['src/client.ts', value('@elysia/eden')],
  ['src/client/send.ts', value('../core/config.ts')],
  ['src/client/send.ts', value('elysia')],
  ['src/core/db.ts', value('../../test/helpers.ts')],
  ['src/app.ts', value('../test/helpers.ts')],
  ['src/app.ts', value('./../test/helpers.ts')],
  ['src/elsewhere/thing.ts', value('elysia')],
  ['src/services/auth.ts', "export { env } from 'node:process';"],
];

const allowed: Record<string, string[]> = {
  'src/utils/text.ts': [value('./one.ts')],
  'src/models/items.ts': [value('./users.ts'), "export { eq } from 'drizzle-orm';"],
  'src/schemas/items.ts': [
    value('./common.ts'),
    "export { type Static, t } from 'elysia';",
    "export { Kind } from '@sinclair/typebox';",
  ],
  'src/core/config.ts': ['export const port = () => process.env.PORT;'],
  'src/core/log.ts': ['export const say = () => console.log(1);'],
  'src/core/db.ts': [
    value('../models/items.ts'),
    "export { one } from '../utils/one.ts';",
    "export { log } from './log.ts';",
    "export { eq } from 'drizzle-orm';",
  ],
  'src/core/deps.ts': [value('../services/items.ts'), "export { db } from './db.ts';"],
  'src/services/items.ts': [
    value('../models/items.ts'),
    "export { db } from '../core/db.ts';",
    "export { one } from '../utils/one.ts';",
    "export { users } from './users.ts';",
    "export { eq } from 'drizzle-orm';",
  ],
  'src/api/auth.ts': [
    value('../schemas/common.ts'),
    "export type { Deps } from '../core/deps.ts';",
    "export { AppError } from '../core/exceptions.ts';",
    "export { page } from './docs.ts';",
    "export { Elysia } from 'elysia';",
  ],
  'src/api/v1/items.ts': [
    value('../../schemas/items.ts'),
    "export type { Deps } from '../../core/deps.ts';",
    "export { AppError } from '../../core/exceptions.ts';",
    "export { auth } from '../auth.ts';",
    "export { users } from './users.ts';",
  ],
  'src/cli/serve.ts': [
    value('../server.ts'),
    "export { createDeps } from '../core/deps.ts';",
    'export const say = () => console.log(1);',
  ],
  'src/app.ts': [value('./api/v1/index.ts'), "export { Elysia } from 'elysia';"],
  'src/index.ts': [
    value('./cli/serve.ts'),
    'export const args = () => process.argv;',
    'export const quit = () => process.exit(1);',
  ],
  'src/client.ts': ["export { createSend } from './client/send.ts';"],
  'src/client/tree.ts': [
    "export type { App } from '../app.ts';",
    "export { createSend } from './send.ts';",
  ],
  'test/helpers.ts': [value('../src/services/items.ts')],
};

describe('import rules', () => {
  let found: Finding[];
  const sources = Map.groupBy(forbiddenImports, ([file]) => file);

  beforeAll(async () => {
    const files = [...sources].map(([file, rows]) => [file, rows.map((row) => row[1]).join('\n')]);
    found = await biomeLint(Object.fromEntries(files));
  });

  test.each(forbiddenImports)('%s may not say %s', (path, source) => {
    const line = 1 + (sources.get(path) ?? []).findIndex((row) => row[1] === source);
    expect(found).toContainEqual({ rule: 'noRestrictedImports', path, line });
  });

  test('what the layers may import passes', async () => {
    const files = Object.entries(allowed).map(([file, lines]) => [file, lines.join('\n')]);
    expect(await biomeLint(Object.fromEntries(files))).toEqual([]);
  });
});
