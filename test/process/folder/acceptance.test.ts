import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readEvents } from '../../events.ts';
import { until } from '../../until.ts';
import { ADMIN, isBinary, type RunningHutch } from '../hutch.ts';
import { call, newProject, type Project } from './project.ts';

setDefaultTimeout(120_000);

const NOTES = `import { flag, resource, t, text } from 'hutch';

export const notes = resource('notes', {
  columns: {
    title: text({ min: 1, max: 200 }).notNull(),
    pinned: flag().notNull().default(false),
  },
  read: 'public',
  write: 'owner',
  filter: ['title', 'pinned'],
  sort: ['title', 'created_at'],
  search: ['title'],
  history: true,
  bin: true,
  events: true,
  routes: (r) =>
    r.post(
      '/:id/pin',
      async ({ actor, service, params }) => {
        const { title, pinned } = await service.update(actor, Number(params.id), { pinned: true });
        return { title, pinned };
      },
      { response: t.Object({ title: t.String(), pinned: t.Boolean() }) },
    ),
  after: {
    create: async ({ jobs, row }) => {
      if (row.title === 'Shout') await jobs.enqueue('notes.shout', { id: row.id });
    },
  },
  jobs: {
    shout: {
      run: async (payload, { resources }) => {
        const { id } = payload as { id: number };
        await resources['notes']?.update(id, { title: 'SHOUT' });
      },
    },
  },
});
`;

const COLUMN = `    pinned: flag().notNull().default(false),\n`;

/** A receiver of webhooks. */
function receiver() {
  const received: { type: string; id: string | null }[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const { type } = (await request.json()) as { type: string };
      received.push({ type, id: request.headers.get('webhook-id') });
      return new Response(null, { status: 204 });
    },
  });
  return { received, server, host: `127.0.0.1:${server.port}` };
}

// One story: each step continues where the previous one ended.
describe.skipIf(!isBinary)('in an empty folder with only the binary', () => {
  const hook = receiver();
  let project: Project;
  let server: RunningHutch;
  let token: string;

  const start = async () => {
    server = await project.serve({ env: { HUTCH_EXTERNAL_ALLOW_HOSTS: hook.host } });
    token = await server.signIn(ADMIN.username, ADMIN.password);
  };
  const request = (method: string, path: string, body?: unknown) =>
    call(`${server.url}/api/v2${path}`, token, method, body);

  beforeAll(() => {
    project = newProject();
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await hook.server.stop(true);
  });

  test('hutch init creates a project', async () => {
    expect((await project.run('init')).status).toBe(0);
    await project.write('resources/notes.ts', NOTES);
  });

  test('the types of the declaration compile, and a wrong name does not', async () => {
    mkdirSync(join(project.dir, 'node_modules'));
    symlinkSync(resolve('node_modules/typescript'), join(project.dir, 'node_modules/typescript'));
    expect((await project.run('check')).stdout).toContain('Types: no errors.');
    await project.write('resources/notes.ts', NOTES.replace(`['title', 'pinned']`, `['titel']`));
    const { stderr, status } = await project.run('types');
    expect(stderr).toContain('titel');
    expect(status).toBe(1);
    await project.write('resources/notes.ts', NOTES.replace('row.title', 'row.titel'));
    const wrong = await project.run('check');
    expect(wrong.stderr).toMatch(/Types: resources\/notes\.ts\(27,\d+\): error TS\d+: .*titel/);
    expect(wrong.status).toBe(1);
    await project.write('resources/notes.ts', NOTES);
  });

  test('hutch serve creates, lists, filters and searches', async () => {
    await start();
    const created = await request('POST', '/notes', { title: 'Straw' });
    expect(created).toMatchObject({ status: 201, body: { id: 1, title: 'Straw', pinned: false } });
    await request('POST', '/notes', { title: 'Hay', pinned: true });
    const titles = async (query: string) => {
      const { body } = await request('GET', `/notes?${query}`);
      return body.data.map(({ title }: { title: string }) => title);
    };
    expect(await titles('sort=title')).toEqual(['Hay', 'Straw']);
    expect(await titles('where=pinned+eq+true')).toEqual(['Hay']);
    expect(await titles('filter[title][like]=St*')).toEqual(['Straw']);
    expect(await titles('q=straw')).toEqual(['Straw']);
  });

  test('a change is in the history, and can be undone', async () => {
    await request('PATCH', '/notes/1', { title: 'Oats' });
    const { body } = await request('GET', '/notes/1/revisions');
    expect(body.data.length).toBeGreaterThan(1);
    const reverted = await request('POST', '/notes/1/revisions', { version: 1 });
    expect(reverted).toMatchObject({ status: 201, body: { title: 'Straw', version: 3 } });
  });

  test('a subscriber hears of a change', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const stream = readEvents(await fetch(`${server.url}/api/v2/notes/events`, { headers }));
    await stream.block();
    await request('POST', '/notes', { title: 'Clover' });
    const event = await stream.next();
    expect(event).toMatchObject({ event: 'created', data: { note: { title: 'Clover' } } });
    await stream.cancel();
  });

  test('a custom route runs with the service of the resource', async () => {
    const pinned = await request('POST', '/notes/1/pin');
    expect(pinned).toEqual({ status: 200, body: { title: 'Straw', pinned: true } });
    expect((await request('POST', '/notes/99/pin')).status).toBe(404);
  });

  test('a job runs after the request', async () => {
    const { body } = await request('POST', '/notes', { title: 'Shout' });
    const title = async () => (await request('GET', `/notes/${body.id}`)).body.title;
    await until(async () => (await title()) === 'SHOUT');
  });

  test('a webhook delivers a change', async () => {
    const url = `http://${hook.host}/`;
    const created = await request('POST', '/webhooks', { url, events: ['notes.created'] });
    expect(created.status).toBe(201);
    await request('POST', '/notes', { title: 'Delivered' });
    await until(() => hook.received.length > 0);
    expect(hook.received[0]).toEqual({ type: 'notes.created', id: expect.stringMatching(/^evt_/) });
  });

  test('the client types know the resource', async () => {
    const { stdout } = await project.run('types');
    expect(stdout).toContain('  notes: ');
    expect(stdout).toContain('pin: {');
  });

  test('a new column is there after a restart, with the rows of before', async () => {
    await server.stop();
    const added = `${COLUMN}    colour: text({ max: 20 }).notNull().default('none'),\n`;
    await project.write('resources/notes.ts', NOTES.replace(COLUMN, added));
    expect((await project.run('check')).stdout).toContain('ADD COLUMN "colour"');
    await start();
    const { body } = await request('GET', '/notes/1');
    expect(body).toMatchObject({ title: 'Straw', pinned: true, colour: 'none' });
    const changed = await request('PATCH', '/notes/1', { colour: 'green' });
    expect(changed).toMatchObject({ status: 200, body: { colour: 'green' } });
  });
});
