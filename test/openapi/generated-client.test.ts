import { expect, mock, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir, testApp } from '../support.ts';

const CONSUMER = `import type { components, operations } from './api.d.ts';

type Item = components['schemas']['Item'];
export const titleOf = (item: Item): string => item.title;
export const views: Item['views'] = 1;
export const url: Item['url'] = null;

type ListQuery = NonNullable<operations['listItems']['parameters']['query']>;
export const query: ListQuery = { limit: 5 };

type Create = operations['createItem']['requestBody']['content']['application/json'];
export const item: Create = { title: 'A warm hutch' };
// @ts-expect-error: a title is required
export const untitled: Create = { description: 'Straw.' };

type Problem = operations['getStats']['responses']['403']['content']['application/problem+json'];
export const codeOf = (problem: Problem): string => problem.code;
`;

test('openapi-typescript generates a client that compiles and is exact', async () => {
  const dir = tempDir();
  await Bun.write(join(dir, 'api.d.ts'), await generate());
  await Bun.write(join(dir, 'right.ts'), CONSUMER);
  await Bun.write(join(dir, 'wrong.ts'), CONSUMER.replace('item.title', 'item.titel'));
  expect(await compile(join(dir, 'right.ts'))).toBe('');
  expect(await compile(join(dir, 'wrong.ts'))).toContain("Property 'titel' does not exist");
}, 60_000);

async function generate(): Promise<string> {
  await using t = await testApp();
  const document = await (await t.request('GET', '/openapi.json')).json();
  // The generator needs the compiler's JavaScript API, which TypeScript 7 does not have.
  const typescript = await import('typescript-5');
  await mock.module('typescript', () => ({ default: typescript.default }));
  const { default: openapiTS, astToString } = await import('openapi-typescript');
  // A field with a default is optional in a body, contrary to the default of the generator.
  return astToString(await openapiTS(document as never, { defaultNonNullable: false }));
}

async function compile(file: string): Promise<string> {
  const options = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'preserve'];
  const tsc = Bun.spawn(['bun', 'tsc', ...options, file], { stdout: 'pipe', stderr: 'pipe' });
  const output = await tsc.stdout.text();
  await tsc.exited;
  return output.trim();
}
