import { describe, expect, test } from 'bun:test';
import { ref, text, visibility } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import type { TestApp } from '../../support.ts';
import { testApp } from '../../support.ts';

const lists = resource('lists', {
  columns: { name: text().notNull(), visibility: visibility() },
  read: 'public',
  write: 'owner',
});
const open = { read: 'public', write: 'owner' } as const;
const children = {
  tasks: resource('tasks', {
    columns: { title: text(), list_id: ref(() => lists, { onDelete: 'cascade' }).notNull() },
    ...open,
    history: true,
    events: true,
  }),
  notes: resource('notes', {
    columns: { title: text(), list_id: ref(() => lists, { onDelete: 'set null' }) },
    ...open,
    history: true,
    events: true,
  }),
  locks: resource('locks', {
    columns: { list_id: ref(() => lists, { onDelete: 'restrict' }).notNull() },
    ...open,
    bin: true,
  }),
};

async function withAda() {
  const t = await testApp({ resources: { lists, ...children } });
  const ada = await t.signUp('ada');
  const services = servicesOf(t);
  const list = await services.lists.create(ada, { name: 'Home' });
  return {
    t,
    ada,
    ...services,
    id: list.id,
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

function servicesOf({ deps }: TestApp) {
  const rowsOf = (name: string) => {
    const found = deps.resources[name];
    if (!found) throw new Error(name);
    return found.rows;
  };
  return {
    lists: rowsOf('lists'),
    tasks: rowsOf('tasks'),
    notes: rowsOf('notes'),
    locks: rowsOf('locks'),
  };
}

const eventsOf = ({ deps }: TestApp, one: string) =>
  deps.db.client
    .query(`select type, ${one}_id as id, version from ${one}_events order by id`)
    .all();

describe('a reference', () => {
  test('to a row that is missing is refused with its field', async () => {
    await using it = await withAda();
    const refused = it.tasks.create(it.ada, { list_id: 99 });
    await expect(refused).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ path: ['list_id'], type: 'not_found', msg: 'List 99 not found' }],
    });
  });

  test('to a row that is hidden from the caller is refused as if it were missing', async () => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    const { id } = await it.lists.create(it.ada, { name: 'Mine', visibility: 'private' });
    const { id: own } = await it.tasks.create(it.ada, { list_id: id });
    await expect(it.tasks.create(bob, { list_id: id })).rejects.toMatchObject({
      fields: [{ msg: `List ${id} not found` }],
    });
    // Bob may change a task of his own, but not to point there.
    const task = await it.tasks.create(bob, { list_id: it.id });
    await expect(it.tasks.update(bob, task.id, { list_id: id })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    expect(await it.tasks.get(it.ada, own)).toMatchObject({ list_id: id });
  });

  test('that restricts keeps the row that it names, in the bin too', async () => {
    await using it = await withAda();
    const lock = await it.locks.create(it.ada, { list_id: it.id });
    const conflict = { code: 'conflict', message: 'List 1 cannot be deleted: locks refer to it' };
    await expect(it.lists.remove(it.ada, it.id)).rejects.toMatchObject(conflict);
    await it.locks.remove(it.ada, lock.id);
    await expect(it.lists.remove(it.ada, it.id)).rejects.toMatchObject(conflict);
    await it.locks.erase(it.ada, lock.id);
    await it.lists.remove(it.ada, it.id);
    await expect(it.lists.get(it.ada, it.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that cascades erases its row with an event and its history', async () => {
    await using it = await withAda();
    const tasks = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        it.tasks.create(it.ada, { title: `Task ${index}`, list_id: it.id }),
      ),
    );
    const other = await it.lists.create(it.ada, { name: 'Other' });
    const kept = await it.tasks.create(it.ada, { list_id: other.id });
    await it.tasks.update(it.ada, tasks[0]?.id ?? 0, { title: 'Changed' });
    await it.lists.remove(it.ada, it.id);
    const left = it.t.deps.db.client.query('select id from tasks').values().flat();
    expect(left).toEqual([kept.id]);
    expect(it.t.deps.db.client.query('select * from task_revisions').all()).toEqual([]);
    const deleted = eventsOf(it.t, 'task').filter(
      (event) => Reflect.get(event as object, 'type') === 'deleted',
    );
    expect(deleted).toHaveLength(120);
  });

  test('that is set to null changes its row with a version, an event and a revision', async () => {
    await using it = await withAda();
    const note = await it.notes.create(it.ada, { title: 'A note', list_id: it.id });
    await it.lists.remove(it.ada, it.id);
    const changed = await it.notes.get(it.ada, note.id);
    expect(changed).toMatchObject({ list_id: null, version: 2 });
    expect(eventsOf(it.t, 'note')).toEqual([
      { type: 'created', id: note.id, version: 1 },
      { type: 'updated', id: note.id, version: 2 },
    ]);
    const { data = [] } =
      (await it.t.deps.resources['notes']?.revisions?.list(it.ada, note.id)) ?? {};
    expect(data[0]?.changes).toEqual({ list_id: { from: it.id, to: null } });
  });

  test('is checked for all resources before any row changes', async () => {
    await using it = await withAda();
    const note = await it.notes.create(it.ada, { list_id: it.id });
    const task = await it.tasks.create(it.ada, { list_id: it.id });
    await it.locks.create(it.ada, { list_id: it.id });
    await expect(it.lists.remove(it.ada, it.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await it.notes.get(it.ada, note.id)).toMatchObject({ list_id: it.id, version: 1 });
    expect(await it.tasks.get(it.ada, task.id)).toMatchObject({ version: 1 });
  });

  test('does not keep the rows of a deleted account', async () => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    await it.locks.create(bob, { list_id: it.id });
    await it.notes.create(bob, { title: 'Of Bob', list_id: it.id });
    await it.ada.client.api.v2.users.me.delete({ password: 'password123' });
    await it.t.deps.jobs.runAll();
    const { client } = it.t.deps.db;
    expect(client.query('select * from lists').all()).toEqual([]);
    expect(client.query('select * from locks').all()).toEqual([]);
    expect(client.query('select title, list_id from notes').all()).toEqual([
      { title: 'Of Bob', list_id: null },
    ]);
    expect(client.query("select id from users where username = 'ada'").all()).toEqual([]);
  });
});
