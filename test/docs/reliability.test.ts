import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { testApp } from '../support.ts';

const page = await Bun.file(join(import.meta.dir, '../../docs/reliability.md')).text();

/** Returns the paths in the first column of the table with this title. */
function pathsUnder(title: string): string[] {
  const [, table = ''] = page.split(`| ${title} |`);
  const rows = table.split('\n\n')[0]?.split('\n') ?? [];
  const cells = rows.slice(1).map((row) => row.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => String(path)));
}

interface Post {
  parameters?: { name: string }[];
  responses: Record<string, unknown>;
}

async function posts() {
  await using t = await testApp();
  const document = await (await t.request('GET', '/openapi.json')).json();
  const { paths } = document as { paths: Record<string, { post?: Post }> };
  return Object.entries(paths).flatMap(([path, { post }]) =>
    post && path.startsWith('/api/v2/') ? [{ path, ...post }] : [],
  );
}

const isKeyed = ({ parameters = [] }: Post) =>
  parameters.some(({ name }) => name === 'Idempotency-Key');

test('each v2 POST is listed either with a key or without one', async () => {
  const all = await posts();
  const [keyed, others] = [all.filter(isKeyed), all.filter((it) => !isKeyed(it))];
  expect(Math.min(keyed.length, others.length)).toBeGreaterThan(5);
  const sorted = (list: { path: string }[]) => list.map(({ path }) => path).toSorted();
  expect(pathsUnder('POST with a key').toSorted()).toEqual(sorted(keyed));
  expect(pathsUnder('POST without a key').toSorted()).toEqual(sorted(others));
});

test('each v2 POST that can return 201 accepts a key', async () => {
  const created = (await posts()).filter(({ responses }) => '201' in responses);
  expect(created.length).toBeGreaterThan(5);
  expect(created.filter((it) => !isKeyed(it)).map(({ path }) => path)).toEqual([]);
});
