import { expect, test } from 'bun:test';
import type { TreeOf } from '../../src/api/v2/resources/tree.ts';
import type { ClientWith } from '../../src/client/tree.ts';
import { createClient, pages, subscribe } from '../../src/client.ts';
import { anyJson, flag, oneOf, ref, text, texts } from '../../src/resources/declare/columns.ts';
import { resource } from '../../src/resources/declare/resource.ts';

const lists = resource('lists', {
  columns: { title: text().notNull() },
  read: 'owner',
  write: 'owner',
});

const notes = resource('notes', {
  routes: (r) =>
    r.post('/:id/pin', async ({ actor, service, params }) => {
      const note = await service.update(actor, Number(params.id), { pinned: true });
      return { pinned: note.pinned };
    }),
  columns: {
    title: text({ min: 1, max: 200 }).notNull(),
    body: text(),
    pinned: flag().notNull().default(false),
    state: oneOf('open', 'done').notNull().default('open'),
    labels: texts().notNull().default([]),
    data: anyJson().notNull().default({}),
    list_id: ref(() => lists),
  },
  read: (actor, row) => row.pinned || row.owner_id === actor.id,
  write: 'owner',
  filter: ['title', 'pinned', 'state', 'labels', 'data', 'created_at', 'list_id'],
  sort: ['title', 'created_at'],
  search: ['title', 'body'],
  history: true,
  bin: true,
  events: true,
  batch: true,
  jobs: {
    remind: {
      cron: '0 8 * * *',
      run: async (_payload: null, { resources }) => {
        await resources['notes']?.update(1, { pinned: true });
      },
    },
  },
  before: {
    update: ({ row, changes }) => {
      if (row.state === 'done') changes.pinned = false;
    },
  },
});

const resources = { notes, lists, somethingElse: 1 };
type Api = ClientWith<TreeOf<typeof resources>>;

/** A client whose server returns `body`, and the requests that it received. */
function recorder(body: unknown) {
  const requests: string[] = [];
  const fetch = async (request: Request) => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`);
    return Response.json(body);
  };
  const client = createClient('http://localhost', { fetch, retries: 0 }) as unknown as Api;
  return { requests, v2: client.v2 };
}

const page = { next_cursor: null, has_more: false, limit: 50 };

test('the client has the routes of a resource with their types', async () => {
  const { requests, v2 } = recorder({ data: [], page, title: 'a', pinned: true });
  const created = await v2.notes.post({ title: 'a', labels: ['b'], data: { c: 1 } });
  const title: string | undefined = created.data?.title;
  const body: string | null | undefined = created.data?.body;
  const state: 'open' | 'done' | undefined = created.data?.state;
  const note = v2.notes({ id: 7 });
  await note.patch({ pinned: true, body: null, list_id: 1 });
  await note.restore.post();
  await note.revisions.post({ version: 1 });
  const revisions = await note.revisions.get();
  const from: string | undefined = revisions.data?.data[0]?.changes.title?.from;
  await note.bin.delete();
  const pinned = await note.pin.post();
  const isPinned: boolean | undefined = pinned.data?.pinned;
  await v2.notes.batch.post({
    operations: [
      { op: 'create', note: { title: 'a' } },
      { op: 'update', id: 1, note: { pinned: true }, if_match: 2 },
      { op: 'delete', id: 1 },
    ],
  });
  expect([title, body, state, from, isPinned].length).toBe(5);
  expect(requests).toEqual([
    'POST /api/v2/notes',
    'PATCH /api/v2/notes/7',
    'POST /api/v2/notes/7/restore',
    'POST /api/v2/notes/7/revisions',
    'GET /api/v2/notes/7/revisions',
    'DELETE /api/v2/notes/7/bin',
    'POST /api/v2/notes/7/pin',
    'POST /api/v2/notes/batch',
  ]);
});

test('the list of a resource has typed filters, sorts, selections and pages', async () => {
  const { requests, v2 } = recorder({ data: [{ id: 1, title: 'a' }], page });
  const listed = await v2.notes.get({
    query: {
      where: ['title like *a*', 'data.size gte 2', 'state eq done'],
      'filter[pinned][eq]': 'true',
      'filter[list_id][is]': 'null',
      sort: ['-title', 'created_at'],
      q: 'warm',
      count: 'exact',
      expand: ['owner', 'list'],
    },
  });
  const list: string | undefined = listed.data?.data[0]?.list?.title;
  const sparse = await v2.notes.get({ query: { fields: ['title'] } });
  const only: { id: number; title: string } | undefined = sparse.data?.data[0];
  // @ts-expect-error The field was not selected.
  const missing = sparse.data?.data[0]?.body;
  for await (const note of pages(v2.notes, { query: { sort: 'title' } })) {
    expect(note.title satisfies string).toBe('a');
  }
  expect([list, only?.title, missing]).toEqual([undefined, 'a', undefined]);
  expect(requests).toEqual(['GET /api/v2/notes', 'GET /api/v2/notes', 'GET /api/v2/notes']);
});

test('the events and errors of a resource have types', async () => {
  const { v2 } = recorder({});
  const events = () => subscribe(v2.notes.events);
  type Event = Awaited<ReturnType<ReturnType<typeof events>['next']>>['value'];
  const titleOf = (event: Exclude<Event, void>): string | null | undefined =>
    event.event === 'reset' ? event.data.reason : event.data.note?.title;
  expect(titleOf({ event: 'reset', id: 1, data: { reason: 'gone' } })).toBe('gone');
  const { error } = await v2.notes({ id: 1 }).get();
  if (error?.status === 404) expect(error.value.code satisfies 'not_found').toBe('not_found');
});

test('wrong names do not compile', () => {
  const { v2 } = recorder({});
  const wrong = [
    // @ts-expect-error A misspelled field.
    () => v2.notes.post({ titel: 'a' }),
    // @ts-expect-error A missing field.
    () => v2.notes.post({ pinned: true }),
    // @ts-expect-error A value of another type.
    () => v2.notes.post({ title: 1 }),
    // @ts-expect-error A value that is not a choice.
    () => v2.notes({ id: 1 }).patch({ state: 'closed' }),
    // @ts-expect-error A field of the engine.
    () => v2.notes({ id: 1 }).patch({ owner_id: 1 }),
    // @ts-expect-error A field without a filter.
    () => v2.notes.get({ query: { where: 'body eq a' } }),
    // @ts-expect-error An operator that the field does not have.
    () => v2.notes.get({ query: { where: 'state gt done' } }),
    // @ts-expect-error A field without a sort.
    () => v2.notes.get({ query: { sort: 'body' } }),
    // @ts-expect-error A relation that the resource does not have.
    () => v2.notes.get({ query: { expand: 'author' } }),
    // @ts-expect-error The option is off.
    () => v2.lists.batch,
    // @ts-expect-error The option is off.
    () => v2.lists({ id: 1 }).restore,
    // @ts-expect-error The option is off.
    () => v2.lists.get({ query: { q: 'a' } }),
    // @ts-expect-error No such resource.
    () => v2.somethingElse,
    // @ts-expect-error Another name of the parameter.
    () => v2.notes({ note_id: 1 }),
  ];
  const columns = { title: text().notNull(), body: text(), pinned: flag() };
  const access = { read: 'owner', write: 'owner' } as const;
  const declarations = [
    // @ts-expect-error A misspelled filter.
    () => resource('notes', { columns, ...access, filter: ['titel'] }),
    // @ts-expect-error A misspelled sort.
    () => resource('notes', { columns, ...access, sort: ['titel'] }),
    // @ts-expect-error A search in a flag.
    () => resource('notes', { columns, ...access, search: ['pinned'] }),
    // @ts-expect-error An unknown access level.
    () => resource('notes', { columns, read: 'everyone', write: 'owner' }),
    // @ts-expect-error An unknown option.
    () => resource('notes', { columns, ...access, serach: ['title'] }),
    // @ts-expect-error A default of another type.
    () => text().default(1),
  ];
  expect(wrong.length + declarations.length).toBeGreaterThan(0);
});
