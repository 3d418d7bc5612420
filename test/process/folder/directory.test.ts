import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { hutch } from '../hutch.ts';
import { newProject, notesSource } from './project.ts';

setDefaultTimeout(120_000);

describe('the directory of resources', () => {
  test('can be elsewhere', async () => {
    const project = newProject({ 'own/notes.ts': notesSource() });
    await project.run('version');
    const cwd = tempDir();
    const { stdout } = await hutch(['types', '--resources-dir', join(project.dir, 'own')], { cwd });
    expect(stdout).toContain('  notes: ');
    const env = { HUTCH_RESOURCES_DIR: join(project.dir, 'own') };
    expect((await hutch(['types'], { cwd, env })).stdout).toContain('  notes: ');
  });

  test('may be empty or missing by default, but not if it is named', async () => {
    const project = newProject();
    mkdirSync(join(project.dir, 'resources'));
    expect((await project.run('openapi')).status).toBe(0);
    const missing = await project.run('serve', '--port', '0', '--resources-dir', 'own');
    expect(missing.stderr).toBe(
      'hutch serve: The resources in own cannot be read: no such file or directory.\n',
    );
    expect(missing.status).toBe(1);
  });
});
