import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tempDir } from '../../support.ts';
import { COMMAND, isBinary } from '../hutch.ts';
import { newProject, notesSource } from './project.ts';

setDefaultTimeout(60_000);

/** Runs an executable in an empty directory. */
async function run(executable: string, ...args: string[]) {
  const child = Bun.spawn([executable, ...args], {
    cwd: tempDir(),
    env: { PATH: '' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { stdout, stderr, status };
}

describe.skipIf(!isBinary)('hutch build (needs the binary)', () => {
  test('makes an executable that serves its resources without any other file', async () => {
    const project = newProject({
      'node_modules/straw/package.json': `{"name":"straw","version":"1.0.0","main":"index.js"}`,
      'node_modules/straw/index.js': `module.exports = { most: 123 };\n`,
      'resources/notes.ts': `import { most } from 'straw';\n${notesSource().replace('200', 'most')}`,
    });
    const { stdout, status } = await project.run('build', '--outfile', 'notes');
    expect(stdout).toBe('Wrote notes with notes.\n');
    expect(status).toBe(0);
    rmSync(join(project.dir, 'resources'), { recursive: true });
    rmSync(join(project.dir, 'node_modules'), { recursive: true });
    const executable = join(project.dir, 'notes');
    const { paths, components } = JSON.parse((await run(executable, 'openapi')).stdout);
    expect(Object.keys(paths)).toContain('/api/v2/notes');
    expect(JSON.stringify(components.schemas)).toContain('"maxLength":123');
  });

  test('makes an executable that can be built from again', async () => {
    const project = newProject({ 'resources/notes.ts': notesSource() });
    await project.run('build', '--outfile', 'first');
    await project.write('resources/tags.ts', notesSource().replaceAll('notes', 'tags'));
    await project.run('build', '--base', 'first', '--outfile', 'second');
    const first = Bun.file(join(project.dir, 'first'));
    const second = Bun.file(join(project.dir, 'second'));
    expect(second.size - first.size).toBeLessThan(100_000);
    const { paths } = JSON.parse((await run(join(project.dir, 'second'), 'openapi')).stdout);
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/api/v2/notes', '/api/v2/tags']));
  });

  test('reports errors of the resources with their place', async () => {
    const source = `${notesSource()}\nif (process.env['BREAK']) throw new Error('no straw');\n`;
    const project = newProject({ 'resources/notes.ts': source });
    await project.run('build', '--outfile', 'notes');
    const child = Bun.spawn([join(project.dir, 'notes'), 'openapi'], {
      cwd: tempDir(),
      env: { BREAK: '1' },
      stderr: 'pipe',
    });
    expect(await child.stderr.text()).toMatch(/resources\/notes\.ts:12:\d+/);
    expect(await child.exited).toBe(1);
  });

  test('writes nothing if a resource has a fault', async () => {
    const project = newProject({ 'resources/notes.ts': 'const broken = ;\n' });
    const { stderr, status } = await project.run('build', '--outfile', 'notes');
    expect(stderr).toContain('resources/notes.ts:1:16: ');
    expect(status).toBe(1);
    expect(existsSync(join(project.dir, 'notes'))).toBe(false);
  });

  test('refuses a base that is not hutch', async () => {
    const project = newProject({ 'resources/notes.ts': notesSource() });
    const { stderr, status } = await project.run('build', '--base', '/bin/sh', '--outfile', 'a');
    expect(stderr).toBe('hutch build: /bin/sh is not the hutch executable: name it by --base.\n');
    expect(status).toBe(1);
  });
});

test.skipIf(isBinary)('hutch build from a clone needs the executable to copy', async () => {
  const project = newProject({ 'resources/notes.ts': notesSource() });
  const { stderr, status } = await project.run('build', '--outfile', 'notes');
  expect(stderr).toContain(`${resolve(COMMAND[0] ?? '')} is not the hutch executable`);
  expect(status).toBe(1);
});
