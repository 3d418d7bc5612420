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

interface Documented {
  paths: Record<string, Record<string, { summary: string }>>;
  components: {
    schemas: Record<string, { properties?: Record<string, { description?: string }> }>;
  };
}

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

const START = `import { createClient, HutchError, orThrow, pages, subscribe } from 'hutch-client';
const { v1, v2 } = createClient('http://127.0.0.1:3000');
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

  test('is small and contains only the client', async () => {
    expect(packed.files).toEqual([
      'LICENSE',
      'README.md',
      'index.d.ts',
      'index.js',
      'package.json',
    ]);
    const script = await Bun.file(join(packed.folder, 'index.js')).text();
    // The code is small; the types grow with the routes.
    expect(script.length).toBeLessThan(30_000);
    expect(packed.unpackedBytes).toBeLessThan(300_000);
    const types = await Bun.file(join(packed.folder, 'index.d.ts')).text();
    expect(script).not.toMatch(/(?<!\/)\bimport\b|\brequire\b|bun:|node:|drizzle|sqlite|service/i);
    expect(types).not.toMatch(/^import\b|\bimport\(|elysia|drizzle|sqlite/m);
    expect(await Bun.file(join(packed.folder, 'package.json')).json()).not.toHaveProperty(
      'dependencies',
    );
  });

  test('compiles in an otherwise empty project, and mistakes do not', async () => {
    const dir = await freshProject(packed, {
      'tsconfig.json': STRICT,
      'right.ts': `${START}
const { data, error } = await v1.items.post({ title: 'A warm hutch', url: null });
export const shown: string | undefined = data?.created_at;
export const wrong: string | undefined = error?.status === 422 ? error.value.detail[0]?.msg : '';
export const read = await v1.items({ item_id: 7 }).get();
export const listed = await v1.items.popular.get({ query: { limit: 3 } });
export const external = await v1.external.get({ query: { url: ['https://example.com'] } });
export const imported = await v2.items.import.post(new File([], 'items.csv'));
export const stream: ReadableStream<Uint8Array> = orThrow(await v2.items.export.get());
export const item: string = (await orThrow(v2.items({ item_id: 7 }).get())).title ?? '';
for await (const { title } of pages(v2.items, { query: { sort: '-id' } })) title?.trim();
for await (const { event, data } of subscribe(v2.items.events)) {
  if (event === 'popular') console.log(data.item_ids.length);
}
const failed = await v2.items({ item_id: 7 }).get();
export const same: Response | null = failed.response;
export const code: string | undefined = failed.error?.code;
export const any: HutchError | null = failed.error;
if (failed.error?.status === 0) console.log(failed.error.kind === 'aborted', failed.error.value.stack);
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
      'code.ts': `${START}const { error } = await v2.items({ item_id: 7 }).get();
if (error?.status === 404) console.log(error.code === 'not_fond');`,
      'import.ts': `${START}await v2.items.import.post(42);`,
      'stream.ts': `${START}orThrow(await v2.items.export.get()).split('');`,
      'id.ts': `${START}await v2.items({ item_id: 'abc' }).get();`,
      'delete.ts': `${START}await v2.items({ item_id: 7 }).delete({ force: true });`,
      'header.ts': `${START}await v2.items.get({ headers: { 'x-key': 5 } });`,
      'params.ts': `${START}await v2.sources.fetch.post({ calls: [{ source: 'a', params: 5 }] });`,
      'absent.ts': `${START}const { response } = await v2.items.get();
console.log(response.status);`,
      'empty.ts': `${START}await v2.items({ item_id: 7 }).patch();`,
      'paged.ts': `${START}for await (const { titel } of pages(v2.items)) console.log(titel);`,
    });
    expect(await compile(dir)).toEqual({
      'body.ts:3': 'TS2561',
      'missing.ts:3': 'TS2741',
      'answer.ts:4': 'TS2551',
      'error.ts:4': 'TS2339',
      'query.ts:3': 'TS2561',
      'path.ts:3': 'TS2551',
      'method.ts:3': 'TS2339',
      'code.ts:4': 'TS2367',
      'import.ts:3': 'TS2345',
      'stream.ts:3': 'TS2339',
      'id.ts:3': 'TS2322',
      'delete.ts:3': 'TS2345',
      'header.ts:3': 'TS2769',
      'params.ts:3': 'TS2322',
      'absent.ts:4': 'TS18047',
      'empty.ts:3': 'TS2554',
      'paged.ts:3': 'TS2339',
    });
  }, 60_000);

  test('rejects wrong fields, operators and sort keys of lists at compile time', async () => {
    const start = `import { createClient, HutchError, orThrow, pages, subscribe } from 'hutch-client';
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

  test('includes the descriptions of routes and fields, and names nested types', async () => {
    await using t = await testApp();
    const document = await (await t.request('GET', '/openapi.json')).json();
    const { paths, components } = document as Documented;
    const types = await Bun.file(join(packed.folder, 'index.d.ts')).text();
    // One line, regardless of the line breaks in the comment.
    const text = types.replace(/\s+(\* )?/g, ' ');
    const summaries = Object.values(paths).flatMap((it) =>
      Object.values(it).map(({ summary }) => summary),
    );
    const fields = Object.entries(components.schemas)
      .filter(([name]) => types.includes(`\ntype ${name} = {`))
      .flatMap(([, { properties = {} }]) => Object.values(properties));
    const described = fields.flatMap(({ description }) => description ?? []);
    expect(summaries.length).toBeGreaterThan(50);
    expect(described.length).toBeGreaterThan(50);
    const lacking = [...summaries, ...described].filter(
      (it) => !text.includes(it.replace(/\s+/g, ' ')),
    );
    expect(lacking).toEqual([]);
    expect(types.match(/^type Accounts = \{\n.*\n.*$/m)?.[0]).toBe(
      'type Accounts = {\n  data: Account[];\n  page: Page;',
    );
  });

  test('has the same type as src/client.ts', async () => {
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
        'Read back: A warm hutch (straw).',
        'Imported 2 items.',
        'Own items: A warm hutch, Hay, Oats.',
        'Exported 3 items.',
        `Heard that item ${3 * index + 1} was created.`,
        'Not there: Item 999999 not found.',
        'Thrown: GET /api/v2/items/999999: 404 Item 999999 not found (not_found).',
      ]);
      expect((await t.client.v1.items.get()).data).toHaveLength(3 * (index + 1));
    }
    await server?.stop();
  }, 60_000);
});
