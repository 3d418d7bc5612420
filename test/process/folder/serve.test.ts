import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { ADMIN } from '../hutch.ts';
import { call, newProject, notesSource } from './project.ts';

setDefaultTimeout(60_000);

describe('hutch serve in a directory with resources', () => {
  test('serves them like its own', async () => {
    const project = newProject({ 'resources/notes.ts': notesSource() });
    await using server = await project.serve();
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const created = await call(`${server.url}/api/v2/notes`, token, 'POST', { title: 'Straw' });
    expect(created).toMatchObject({ status: 201, body: { id: 1, title: 'Straw', version: 1 } });
    const listed = await call(`${server.url}/api/v2/notes?where=title+eq+Straw`, token, 'GET');
    expect(listed.body.data).toHaveLength(1);
    const document = await call(`${server.url}/openapi.json`, token, 'GET');
    expect(Object.keys(document.body.paths)).toContain('/api/v2/notes');
  });

  test('keeps the rows over a restart', async () => {
    const project = newProject({ 'resources/notes.ts': notesSource() });
    {
      await using server = await project.serve();
      const token = await server.signIn(ADMIN.username, ADMIN.password);
      await call(`${server.url}/api/v2/notes`, token, 'POST', { title: 'Straw' });
      await server.stop();
    }
    await using server = await project.serve();
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const found = await call(`${server.url}/api/v2/notes/1`, token, 'GET');
    expect(found.body).toMatchObject({ title: 'Straw' });
  });

  test('loads packages from the node_modules of the directory', async () => {
    const project = newProject({
      'node_modules/straw/package.json': `{"name":"straw","version":"1.0.0","main":"index.js"}`,
      'node_modules/straw/index.js': `module.exports = { title: 'From a package' };\n`,
      'resources/notes.ts': `import { title } from 'straw';\n${notesSource().replace('.notNull()', '.notNull().default(title)')}`,
    });
    await using server = await project.serve();
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const created = await call(`${server.url}/api/v2/notes`, token, 'POST', {});
    expect(created).toMatchObject({ status: 201, body: { title: 'From a package' } });
  });
});
