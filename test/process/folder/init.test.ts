import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { newProject } from './project.ts';

setDefaultTimeout(120_000);

describe('hutch init', () => {
  test('creates a project and prints the next steps', async () => {
    const project = newProject();
    const { stdout, status } = await project.run('init');
    expect(status).toBe(0);
    for (const path of ['resources/notes.ts', 'tsconfig.json', '.gitignore', '.hutch/hutch.d.ts']) {
      expect([path, await project.has(path)]).toEqual([path, true]);
      expect(stdout).toContain(path);
    }
    expect(stdout).toContain('hutch dev');
    expect(stdout).not.toContain('cd ');
  });

  test('creates the project in the directory that it is given', async () => {
    const project = newProject();
    const { stdout } = await project.run('init', 'my notes');
    expect(await project.has('my notes/resources/notes.ts')).toBe(true);
    expect(stdout).toContain("cd 'my notes'");
  });

  test('overwrites nothing, status 1', async () => {
    const project = newProject({ 'tsconfig.json': '{}' });
    const { stderr, status } = await project.run('init');
    expect(status).toBe(1);
    expect(stderr).toContain('tsconfig.json');
    expect(readdirSync(project.dir)).toEqual(['tsconfig.json']);
    expect(await project.read('tsconfig.json')).toBe('{}');
  });

  test('creates a resource that has no faults', async () => {
    const project = newProject();
    await project.run('init');
    const { stdout, status } = await project.run('check');
    expect(stdout).toContain('Resources: notes.');
    expect(status).toBe(0);
  });
});
