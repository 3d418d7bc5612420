import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { testApp } from '../support.ts';
import {
  compile,
  consumerExample,
  freshProject,
  type Packed,
  packClient,
  run,
} from './fresh-project.ts';

const STRICT = JSON.stringify({
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  },
});

const START = `import { createClient } from 'hutch-client';
const { v1 } = createClient('http://127.0.0.1:3000').api;
`;

const SAME = `import type { Client as Built } from '<built>';
import type { Client as Source } from '<source>';
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
export const forth = (client: Source): Built => client;
export const back = (client: Built): Source => client;
export const same: Same<Built, Source> = true;
export const different: Same<Built['api']['v1'], Source['api']['v2']> = true;
`;

describe.skipIf(!Bun.which('node') || !Bun.which('npm'))('the client package (needs npm)', () => {
  let packed: Packed;

  beforeAll(async () => {
    packed = await packClient();
  }, 60_000);

  afterAll(() => rmSync(packed.dir, { recursive: true }));

  test('is small and holds the client alone', async () => {
    expect(packed.files).toEqual([
      'LICENSE',
      'README.md',
      'index.d.ts',
      'index.js',
      'package.json',
    ]);
    const script = await Bun.file(join(packed.folder, 'index.js')).text();
    // What runs is small; the types grow with the routes.
    expect(script.length).toBeLessThan(30_000);
    expect(packed.unpackedBytes).toBeLessThan(300_000);
    const types = await Bun.file(join(packed.folder, 'index.d.ts')).text();
    expect(script).not.toMatch(/\bimport\b|\brequire\b|bun:|node:|drizzle|sqlite|service/i);
    expect(types).not.toMatch(/^import\b|\bimport\(|elysia|drizzle|sqlite/m);
    expect(await Bun.file(join(packed.folder, 'package.json')).json()).not.toHaveProperty(
      'dependencies',
    );
  });

  test('compiles in a project that has nothing else, and mistakes do not', async () => {
    const dir = await freshProject(packed, {
      'tsconfig.json': STRICT,
      'right.ts': `${START}
const { data, error } = await v1.items.post({ title: 'A warm hutch', url: null });
export const shown: string | undefined = data?.created_at;
export const wrong: string | undefined = error?.status === 422 ? error.value.detail[0]?.msg : '';
export const read = await v1.items({ item_id: 7 }).get();
export const listed = await v1.items.popular.get({ query: { limit: 3 } });
export const external = await v1.external.get({ query: { url: ['https://example.com'] } });
`,
      'body.ts': `${START}await v1.items.post({ title: 'A warm hutch', descripton: '' });`,
      'missing.ts': `${START}await v1.users.post({ email: 'ada@example.com', username: 'ada' });`,
      'answer.ts': `${START}const { data } = await v1.items({ item_id: 7 }).get();
console.log(data?.titel);`,
      'error.ts': `${START}const { error } = await v1.items({ item_id: 7 }).get();
if (error?.status === 402) console.log(error.value);`,
      'query.ts': `${START}await v1.items.get({ query: { limit: 3, skipp: 1 } });`,
      'path.ts': `${START}await v1.itmes.get();`,
      'method.ts': `${START}await v1.items.patch({ title: '' });`,
    });
    expect(await compile(dir)).toEqual({
      'body.ts:3': 'TS2561',
      'missing.ts:3': 'TS2741',
      'answer.ts:4': 'TS2551',
      'error.ts:4': 'TS2339',
      'query.ts:3': 'TS2561',
      'path.ts:3': 'TS2551',
      'method.ts:3': 'TS2339',
    });
  }, 60_000);

  test('refuses wrong fields, operators and sort keys of lists when it is compiled', async () => {
    const start = `import { createClient } from 'hutch-client';
const { items, users, 'audit-log': log } = createClient('http://127.0.0.1:3000').api.v2;
const tag: string = 'wood';
`;
    const wrong = {
      'where-field.ts': `items.get({ query: { where: ['colour eq red'] } });`,
      'where-operator.ts': `items.get({ query: { where: \`tags gt \${tag}\` } });`,
      'where-choice.ts': `items.get({ query: { where: 'visibility eq hidden' } });`,
      'where-null.ts': `items.get({ query: { where: 'url is empty' } });`,
      'where-shape.ts': `items.get({ query: { where: 'tags=wood' } });`,
      'filter-field.ts': `items.get({ query: { 'filter[colour][eq]': 'red' } });`,
      'filter-operator.ts': `items.get({ query: { 'filter[tags][gt]': 'wood' } });`,
      'sort.ts': `items.get({ query: { sort: 'name' } });`,
      'sort-second.ts': `items.get({ query: { sort: ['-views', '-name'] } });`,
      'fields.ts': `items.get({ query: { fields: ['title', 'name'] } });`,
      'accounts.ts': `users.get({ query: { where: 'title eq x' } });`,
      'accounts-sort.ts': `users.get({ query: { sort: 'title' } });`,
      'audit-log.ts': `log.get({ query: { where: 'action gt x' } });`,
      'export.ts': `items.export.get({ query: { where: 'colour eq red' } });`,
    };
    const dir = await freshProject(packed, {
      'tsconfig.json': STRICT,
      'right.ts': `${start}
await items.get({ query: { where: \`tags eq \${tag}\`, sort: '-views', fields: 'title' } });
await items.get({
  query: { where: ['data.a.b gte 2', 'url is null', 'visibility in public,private'], sort: ['-views', 'title'] },
});
await items.get({ query: { 'filter[data.a.b][is]': 'true', 'filter[id][gt]': 7 } });
await items.export.get({ query: { where: 'tags eq wood' } });
await users.get({ query: { where: ['email_verified eq false'], sort: '-username' } });
await log.get({ query: { where: 'user_id is null' } });
`,
      ...Object.fromEntries(Object.entries(wrong).map(([name, it]) => [name, start + it])),
    });
    const found = await compile(dir);
    const files = Object.keys(found).map((place) => place.replace(/:\d+$/, ''));
    expect(files.toSorted()).toEqual(Object.keys(wrong).toSorted());
  }, 60_000);

  test('its type is the one that src/client.ts has', async () => {
    const dir = await freshProject(packed, {
      'tsconfig.json': JSON.stringify({
        extends: resolve('tsconfig.json'),
        compilerOptions: { typeRoots: [resolve('node_modules/@types')] },
        include: ['*.ts'],
      }),
      'same.ts': SAME.replace('<built>', join(packed.folder, 'index.d.ts')).replace(
        '<source>',
        resolve('src/client.ts'),
      ),
    });
    expect(await compile(dir)).toEqual({ 'same.ts:8': 'TS2322' });
  }, 60_000);

  test('the example compiles, and runs on Node and on Bun', async () => {
    const dir = await consumerExample(packed);
    expect(await compile(dir)).toEqual({});
    await using t = await testApp();
    const { server } = t.app.listen({ hostname: '127.0.0.1', port: 0, development: false });
    const url = `http://127.0.0.1:${server?.port}`;
    for (const [index, command] of ['node dist/index.js', 'bun index.ts'].entries()) {
      const { stdout, stderr } = await run([...command.split(' '), url], dir);
      expect(stderr).toBe('');
      const [signedUp, ...lines] = stdout.trim().split('\n');
      expect(signedUp).toMatch(/^Signed up as ada-[0-9a-f]{8}, account \d+\.$/);
      expect(lines).toEqual([
        'Signed in with a bearer token.',
        expect.stringMatching(/^Posted item \d+ at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\.$/),
        'Read back: A warm hutch (views: 1).',
        expect.stringMatching(/^Popular: A warm hutch \(views: \d+\)/),
        'Item 0: Item 0 not found.',
      ]);
      expect((await t.client.api.v1.items.get()).data).toHaveLength(index + 1);
    }
    await server?.stop();
  }, 60_000);
});
