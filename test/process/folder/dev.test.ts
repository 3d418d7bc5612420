import { Database } from 'bun:sqlite';
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { readEvents } from '../../events.ts';
import { until } from '../../until.ts';
import { ADMIN, type RunningHutch } from '../hutch.ts';
import { call, newProject, notesSource, type Project } from './project.ts';

setDefaultTimeout(60_000);

const PLAIN = notesSource();
const COLOURED = notesSource('', ` colour: text({ max: 50 }).notNull().default('none')`);
const WAITING = 'Waiting for changes.';

const reloads = ({ lines }: RunningHutch) =>
  lines.filter(({ message }) => message === 'Reloaded.').map(({ resources }) => resources);

/** The columns of the table of notes. */
function columnsIn({ dir }: Project): string[] {
  using client = new Database(join(dir, 'data/hutch.db'), { readonly: true });
  const rows = client.query(`SELECT name FROM pragma_table_info('notes')`).all();
  return (rows as { name: string }[]).map(({ name }) => name);
}

async function start(source = PLAIN) {
  const project = newProject({ 'resources/notes.ts': source });
  const server = await project.dev();
  return { project, server };
}

describe('hutch dev', () => {
  test('serves a saved change, and adds its columns', async () => {
    const { project, server } = await start();
    await using _ = server;
    expect(columnsIn(project)).not.toContain('colour');
    await project.write('resources/notes.ts', COLOURED);
    await until(() => reloads(server).length === 1);
    expect(columnsIn(project)).toContain('colour');
  });

  test('serves a new file, and forgets a removed one', async () => {
    const { project, server } = await start();
    await using _ = server;
    await project.write('resources/tags.ts', PLAIN.replaceAll('notes', 'tags'));
    await until(() => reloads(server).length === 1);
    project.remove('resources/tags.ts');
    await until(() => reloads(server).length === 2);
    expect(reloads(server)).toEqual(['notes, tags', 'notes']);
  });

  test('reloads when an imported file changes, also one beside the directory', async () => {
    const project = newProject({
      'lib/limits.ts': 'export const max = 200;\n',
      'resources/notes.ts': `import { max } from '../lib/limits.ts';\n${PLAIN.replace('200', 'max')}`,
    });
    await using server = await project.dev();
    await project.write('lib/limits.ts', 'export const max: number = ;\n');
    await until(() => server.errors().includes(WAITING));
    expect(server.errors()).toContain('lib/limits.ts:1:28: ');
    await project.write('lib/limits.ts', 'export const max = 200;\nexport const min = 1;\n');
    await until(() => reloads(server).length === 1);
  });

  test.each([
    ['a syntax error', `${PLAIN}\nconst broken = ;\n`, 'resources/notes.ts:12:16: '],
    ['a thrown error', `${PLAIN}\nthrow new Error('no straw');\n`, 'resources/notes.ts:12:'],
    ['a wrong option', notesSource(`search: ['titel'],`), 'resources/notes.ts:3:'],
  ])(
    'prints the place of %s, serves the last good version, and recovers',
    async (_, source, place) => {
      const { project, server } = await start();
      await using _server = server;
      await project.write('resources/notes.ts', source);
      await until(() => server.errors().includes(WAITING));
      expect(server.errors()).toContain(place);
      expect(server.errors()).toContain('The last good version is still being served.');
      expect((await fetch(`${server.url}/api/v2/items`)).status).toBe(200);
      await project.write('resources/notes.ts', COLOURED);
      await until(() => reloads(server).length === 1);
      expect(columnsIn(project)).toContain('colour');
    },
  );

  test('waits for the first version without a fault', async () => {
    const project = newProject({ 'resources/notes.ts': 'const broken = ;\n' });
    const starting = project.dev({
      onStart: async (errors) => {
        await until(() => errors().includes(WAITING));
        expect(errors()).toContain('Nothing is served yet.');
        await project.write('resources/notes.ts', PLAIN);
      },
    });
    await using server = await starting;
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test('refuses a change that would lose data, and serves the last good version', async () => {
    const { project, server } = await start(COLOURED);
    await using _ = server;
    await project.write('resources/notes.ts', PLAIN);
    await until(() => server.errors().includes(WAITING));
    expect(server.errors()).toContain('notes.colour is not declared any more');
    expect(server.errors()).toContain('migrations/0001_notes.sql');
    expect(columnsIn(project)).toContain('colour');
    await project.write('migrations/0001_notes.sql', 'ALTER TABLE notes DROP COLUMN colour;\n');
    await until(() => reloads(server).length === 1);
    expect(columnsIn(project)).not.toContain('colour');
  });

  test('ends event streams, and a resumed stream misses nothing', async () => {
    const { project, server } = await start();
    await using _ = server;
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const items = `${server.url}/api/v2/items`;
    const open = (last: string) =>
      fetch(`${items}/events`, {
        headers: { authorization: `Bearer ${token}`, 'last-event-id': last },
      });
    const before = readEvents(await open('0'));
    await call(items, token, 'POST', { title: 'Straw' });
    const first = await before.next();
    expect(first).toMatchObject({ event: 'created' });
    await project.write('resources/notes.ts', COLOURED);
    expect(await before.next()).toBeUndefined();
    await until(() => reloads(server).length === 1);
    await call(items, token, 'POST', { title: 'Hay' });
    const after = readEvents(await open(first?.id ?? ''));
    expect(await after.next()).toMatchObject({
      event: 'created',
      data: { item: { title: 'Hay' } },
    });
    await after.cancel();
  });

  test('answers every request that arrives during a reload', async () => {
    const { project, server } = await start();
    await using _ = server;
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const statuses: number[] = [];
    const isDone = () => reloads(server).length === 1;
    await project.write('resources/notes.ts', COLOURED);
    while (!isDone()) {
      const body = { title: 'Straw' };
      statuses.push((await call(`${server.url}/api/v2/items`, token, 'POST', body)).status);
    }
    expect(statuses.length).toBeGreaterThan(1);
    expect(new Set(statuses)).toEqual(new Set([201]));
  });
});
