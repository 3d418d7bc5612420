import { expect, test } from 'bun:test';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempDir } from '../support.ts';

const GROUPS = 40;
const root = resolve(import.meta.dir, '../..');

test('forty more groups type-check, and the client includes each of them', async () => {
  const project = copyProject();
  for (let number = 0; number < GROUPS; number++) addGroup(project, number);
  mountGroups(project);
  writeFileSync(join(project, 'src', 'use-groups.ts'), useOfGroups());
  const start = performance.now();
  const output = await typeCheck(project);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`The app and its client with ${GROUPS} more groups type-check in ${seconds} s.`);
  // Only the two mistakes are errors.
  expect(output.split('\n').filter((line) => line.includes('error TS'))).toEqual([
    expect.stringMatching(/^src\/use-groups\.ts\(\d+,\d+\): error TS2353/),
    expect.stringMatching(/^src\/use-groups\.ts\(\d+,\d+\): error TS2551/),
  ]);
}, 240_000);

function copyProject(): string {
  const project = tempDir();
  for (const name of ['src', 'drizzle', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(project, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  return project;
}

function addGroup(project: string, number: number): void {
  const text = `import { Elysia, t } from 'elysia';

const Thing = t.Object({ id: t.Integer(), title${number}: t.String(), tags: t.Array(t.String()) });

export const group${number} = () =>
  new Elysia({ prefix: '/group${number}' })
    .get('', ({ query }) => [{ id: 1, title${number}: query.q ?? '', tags: [] }], {
      query: t.Object({ q: t.Optional(t.String()) }),
      response: { 200: t.Array(Thing) },
    })
    .post('', ({ body }) => ({ id: 1, ...body }), {
      body: t.Omit(Thing, ['id']),
      response: { 200: Thing },
    })
    .get('/:id', ({ params }) => ({ id: params.id, title${number}: '', tags: [] }), {
      params: t.Object({ id: t.Integer() }),
      response: { 200: Thing },
    });
`;
  writeFileSync(join(project, 'src', 'api', 'v2', `group${number}.ts`), text);
}

function mountGroups(project: string): void {
  const path = join(project, 'src', 'api', 'v2', 'index.ts');
  const numbers = Array.from({ length: GROUPS }, (_, number) => number);
  const imports = numbers.map((it) => `import { group${it} } from './group${it}.ts';\n`).join('');
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf('  ]);');
  expect(end).toBeGreaterThan(0);
  const mounts = numbers.map((it) => `    group${it}(),\n`).join('');
  writeFileSync(path, imports + text.slice(0, end) + mounts + text.slice(end));
}

function useOfGroups(): string {
  const last = GROUPS - 1;
  return `import { createClient } from './client.ts';

const { v2 } = createClient('http://127.0.0.1').api;
export const first = await v2.group0.post({ title0: 'a', tags: ['b'] });
export const title: string | undefined = first.data?.title0;
export const wrong = await v2.group${last}.post({ title0: 'a', tags: ['b'] });
export const missing = v2.group${GROUPS};
`;
}

async function typeCheck(project: string): Promise<string> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const child = Bun.spawn([tsc, '--pretty', 'false'], { cwd: project, stdout: 'pipe' });
  return child.stdout.text();
}
