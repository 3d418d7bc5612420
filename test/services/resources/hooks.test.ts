import { describe, expect, test } from 'bun:test';
import { AppError } from '../../../src/core/exceptions.ts';
import { integer, text } from '../../../src/resources/declare/columns.ts';
import type { AfterHooks, BeforeHooks } from '../../../src/resources/declare/hooks.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { testApp } from '../../support.ts';
import { until } from '../../until.ts';

const logs = resource('logs', {
  columns: { line: text().notNull() },
  read: 'owner',
  write: 'owner',
});

interface Hooks {
  before?: BeforeHooks<Note, Partial<Note>>;
  after?: AfterHooks<Note>;
  bin?: boolean;
}
type Note = { id: number; title: string | null; size: number | null };

async function withHooks({ before = {}, after = {}, bin = false }: Hooks) {
  const notes = resource('notes', {
    columns: { title: text({ max: 20 }), size: integer({ min: 0 }) },
    read: 'public',
    write: 'owner',
    batch: true,
    bin,
    before: before as never,
    after: after as never,
  });
  const t = await testApp({ resources: { logs, notes } });
  const ada = await t.signUp('ada');
  const found = t.deps.resources['notes'];
  if (!found) throw new Error('There are no notes.');
  const { rows, batch } = found;
  const lines = () => t.deps.db.client.query('select line from logs order by id').values().flat();
  const titles = () =>
    t.deps.db.client.query('select title from notes order by id').values().flat();
  return {
    t,
    ada,
    rows,
    batch,
    lines,
    titles,
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

/** Writes a line to the log of the actor. */
type Context = Parameters<NonNullable<BeforeHooks['create']>>[0];
async function write({ resources }: Pick<Context, 'resources'>, line: string): Promise<void> {
  await resources['logs']?.create({ line });
}

describe('a hook before a change', () => {
  test('may change the values of a creation and of an update', async () => {
    await using it = await withHooks({
      before: {
        create: ({ row }) => {
          row.title = `${row.title}!`;
        },
        update: ({ row, changes }) => {
          changes.size = (row.size ?? 0) + 1;
        },
      },
    });
    const given = { title: 'One', size: 1 };
    const { id } = await it.rows.create(it.ada, given);
    expect(await it.rows.get(it.ada, id)).toMatchObject({ title: 'One!', size: 1 });
    expect(await it.rows.update(it.ada, id, { title: 'Two' })).toMatchObject({
      title: 'Two',
      size: 2,
    });
    // The caller's values stay as they were, so that a retry starts from them.
    expect(given).toEqual({ title: 'One', size: 1 });
  });

  test('writes other resources in the same transaction, as the actor', async () => {
    await using it = await withHooks({
      before: {
        create: (context) => write(context, 'created'),
        update: (context) => write(context, 'updated'),
        delete: (context) => write(context, 'deleted'),
      },
    });
    const { id } = await it.rows.create(it.ada, { title: 'One' });
    await it.rows.update(it.ada, id, { title: 'Two' });
    await it.rows.remove(it.ada, id);
    expect(it.lines()).toEqual(['created', 'updated', 'deleted']);
    const { writes } = it.t.deps.db.stats();
    await it.rows.create(it.ada, {});
    expect(it.t.deps.db.stats().writes).toBe(writes + 1);
  });

  test('that refuses a change undoes what it wrote', async () => {
    await using it = await withHooks({
      before: {
        create: async (context) => {
          await write(context, 'lost');
          throw new AppError('conflict', 'One note is enough');
        },
      },
    });
    await expect(it.rows.create(it.ada, {})).rejects.toMatchObject({
      code: 'conflict',
      message: 'One note is enough',
    });
    expect([it.lines(), it.titles()]).toEqual([[], []]);
  });

  test('that fails is named with its resource', async () => {
    await using it = await withHooks({
      before: {
        create: () => {
          throw new TypeError('x is undefined');
        },
      },
    });
    const failed = it.rows.create(it.ada, {});
    await expect(failed).rejects.toThrow('The hook before.create of notes failed.');
    await expect(failed).rejects.toMatchObject({ cause: { message: 'x is undefined' } });
    expect(it.titles()).toEqual([]);
  });

  test('that sets a name that is no field fails', async () => {
    await using it = await withHooks({
      before: {
        create: ({ row }) => {
          Reflect.set(row, 'owner_id', 7);
        },
      },
    });
    const failed = it.rows.create(it.ada, {});
    await expect(failed).rejects.toThrow('before.create of notes set owner_id');
  });

  test('that sets a value which the table refuses is a validation problem', async () => {
    await using it = await withHooks({
      before: {
        create: ({ row }) => {
          row.size = -1;
        },
      },
    });
    await expect(it.rows.create(it.ada, {})).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ path: ['size'], type: 'value_error' }],
    });
  });

  test('that refuses one operation of a batch keeps none of the others', async () => {
    await using it = await withHooks({
      before: {
        create: async (context) => {
          await write(context, 'lost');
          if (context.row.title === 'Bad') throw new AppError('conflict', 'Bad title');
        },
      },
    });
    const operations = ['Good', 'Bad'].map((title) => ({
      op: 'create' as const,
      values: { title },
    }));
    await expect(it.batch?.run(it.ada, operations)).rejects.toMatchObject({
      code: 'batch_failed',
      fields: [{ path: ['operations', 1], msg: 'Bad title' }],
    });
    expect([it.lines(), it.titles()]).toEqual([[], []]);
  });

  test('that catches the refusal of another resource goes on without its changes', async () => {
    await using it = await withHooks({
      before: {
        create: async (context) => {
          await context.resources['logs']?.create({}).catch(() => {});
          await write(context, 'kept');
        },
      },
    });
    await it.rows.create(it.ada, { title: 'One' });
    expect([it.lines(), it.titles()]).toEqual([['kept'], ['One']]);
  });

  test('fails if a call that it does not await fails', async () => {
    await using it = await withHooks({
      before: {
        create: (context) => {
          void context.resources['logs']?.create({});
        },
      },
    });
    await expect(it.rows.create(it.ada, {})).rejects.toMatchObject({ code: 'validation_failed' });
    expect(it.titles()).toEqual([]);
  });

  test('that calls itself without end is stopped', async () => {
    await using it = await withHooks({
      before: { create: ({ resources }) => void resources['notes']?.create({}) },
    });
    await expect(it.rows.create(it.ada, {})).rejects.toThrow('before.create of notes failed');
    expect(it.titles()).toEqual([]);
  });

  test('that does not end is stopped, and other writers go on', async () => {
    await using it = await withHooks({
      before: { update: () => new Promise<void>(() => {}) },
    });
    const { id } = await it.rows.create(it.ada, { title: 'One' });
    await expect(it.rows.update(it.ada, id, { title: 'Two' })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('before.update of notes took more than') },
    });
    await it.rows.create(it.ada, { title: 'Three' });
    expect(it.titles()).toEqual(['One', 'Three']);
  });

  test('runs for a row that moves to the bin and returns, but not when it is erased', async () => {
    const calls: string[] = [];
    await using it = await withHooks({
      bin: true,
      before: {
        update: () => void calls.push('update'),
        delete: () => void calls.push('delete'),
      },
    });
    const { id } = await it.rows.create(it.ada, { title: 'One' });
    await it.rows.remove(it.ada, id);
    await it.rows.restore(it.ada, id);
    await it.rows.remove(it.ada, id);
    await it.rows.erase(it.ada, id);
    expect(calls).toEqual(['delete', 'update', 'delete']);
  });
});

describe('a hook after a change', () => {
  test('runs after the commit with the row as clients see it', async () => {
    const seen: unknown[] = [];
    await using it = await withHooks({
      after: {
        create: ({ row }) => void seen.push(['create', row.title]),
        update: ({ row, old }) => void seen.push(['update', old.title, row.title]),
        delete: ({ row }) => void seen.push(['delete', row.title]),
      },
    });
    const { id } = await it.rows.create(it.ada, { title: 'One' });
    await it.rows.update(it.ada, id, { title: 'Two' });
    await it.rows.remove(it.ada, id);
    await until(() => seen.length === 3);
    expect(seen).toEqual([
      ['create', 'One'],
      ['update', 'One', 'Two'],
      ['delete', 'Two'],
    ]);
  });

  test('does not run if the change is undone', async () => {
    const seen: string[] = [];
    await using it = await withHooks({ after: { create: () => void seen.push('create') } });
    await expect(it.rows.create(it.ada, { size: -1 })).rejects.toThrow();
    const write = it.rows.create(it.ada, {}, () => Promise.reject(new Error('undone')));
    await expect(write).rejects.toThrow('undone');
    await it.rows.create(it.ada, {});
    expect(seen).toEqual(['create']);
  });

  test('may write other resources; what it throws is logged with its name', async () => {
    await using it = await withHooks({
      after: {
        create: async (context) => {
          await write(context, 'after');
          throw new Error('too late');
        },
      },
    });
    await it.rows.create(it.ada, { title: 'One' });
    await until(() => it.t.logLines.length > 0);
    expect([it.lines(), it.titles()]).toEqual([['after'], ['One']]);
    expect(it.t.logLines.join('')).toContain('The hook after.create of notes failed.');
  });
});

describe('a job of a resource', () => {
  test('that a hook queues runs after the commit, and may do everything', async () => {
    const ran: unknown[] = [];
    const notes = resource('notes', {
      columns: { title: text() },
      read: 'owner',
      write: 'owner',
      before: {
        create: ({ row, jobs }) => jobs.enqueue('notes.shout', { title: row.title }),
      },
      jobs: {
        shout: {
          run: async (payload, { resources, actor }) => {
            const row = await resources['notes']?.update(1, { title: 'Loud' });
            ran.push(payload, actor.role, row?.['title']);
          },
        },
      },
    });
    await using t = await testApp({ resources: { notes } });
    const ada = await t.signUp('ada');
    const rows = t.deps.resources['notes']?.rows;
    await rows?.create(ada, { title: 'Quiet' });
    const undone = rows?.create(ada, {}, () => Promise.reject(new Error('undone')));
    await expect(undone).rejects.toThrow('undone');
    await t.deps.jobs.runDue();
    expect(ran).toEqual([{ title: 'Quiet' }, 'system', 'Loud']);
  });
});
