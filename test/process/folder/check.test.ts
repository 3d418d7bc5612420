import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isBinary } from '../hutch.ts';
import { newProject, notesSource } from './project.ts';

setDefaultTimeout(120_000);

// From a clone, the types may be those of an earlier build.
describe.skipIf(!isBinary).each([
  ['7', 'typescript'],
  ['5.9', 'typescript-5'],
])('the types of hutch check with TypeScript %s', (_, compiler) => {
  async function checked(source: string) {
    const project = newProject();
    await project.run('init');
    await project.write('resources/notes.ts', source);
    mkdirSync(join(project.dir, 'node_modules'));
    const installed = resolve('node_modules', compiler);
    symlinkSync(installed, join(project.dir, 'node_modules/typescript'));
    return project.run('check');
  }

  test('are right for a resource without a fault', async () => {
    const { stdout, stderr, status } = await checked(notesSource());
    expect(stdout + stderr).toContain('Types: no errors.');
    expect(status).toBe(0);
  });

  test('name a wrong name, status 1', async () => {
    const source = notesSource().replace(`columns: {`, `colums: {}, columns: {`);
    const { stderr, status } = await checked(source);
    expect(stderr).toMatch(/^Types: resources\/notes\.ts\(4,\d+\): error TS\d+: .*colums/m);
    expect(status).toBe(1);
  });
});
