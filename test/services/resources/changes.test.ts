import { describe, expect, test } from 'bun:test';
import { anyJson, flag, integer, text, texts } from '../../../src/resources/declare/columns.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { testApp } from '../../support.ts';

const plain = resource('notes', {
  columns: {
    title: text({ max: 20 }).notNull(),
    pinned: flag().notNull().default(false),
    size: integer({ min: 0 }),
    labels: texts().notNull().default([]),
    data: anyJson({ maxBytes: 100, maxDepth: 5 }).notNull().default({}),
  },
  read: 'public',
  write: 'owner',
});
const full = resource('pages', {
  columns: { title: text({ max: 20 }).notNull(), labels: texts().notNull().default([]) },
  read: 'public',
  write: 'owner',
  filter: ['labels'],
  history: true,
  bin: true,
  events: true,
  views: true,
});

async function withAda() {
  const t = await testApp({ resources: { notes: plain, pages: full } });
  const ada = await t.signUp('ada');
  const [notes, pages] = [t.deps.resources['notes'], t.deps.resources['pages']];
  if (!notes || !pages) throw new Error('A resource is missing.');
  const all = (query: string) => t.deps.db.client.query(query).all();
  return { t, ada, notes, pages, all, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('a row', () => {
  test('has the defaults of its fields, stored as SQLite knows them', async () => {
    await using it = await withAda();
    const row = await it.notes.rows.create(it.ada, { title: 'A' });
    expect(row).toMatchObject({ pinned: 0, size: null, labels: '[]', data: '{}', version: 1 });
    expect(it.all('select * from notes')).toEqual([row]);
    expect(await it.notes.service.get(it.ada, row.id)).toMatchObject({
      pinned: false,
      labels: [],
      data: {},
    });
  });

  test('changes in the fields that differ; JSON is a merge patch', async () => {
    await using it = await withAda();
    const { rows } = it.notes;
    const { id } = await rows.create(it.ada, { title: 'A', data: { a: 1, b: { c: 2 } } });
    const patch = { pinned: true, data: { a: null, b: { d: 3 } } };
    const changed = await rows.update(it.ada, id, patch);
    expect(changed).toMatchObject({ pinned: 1, data: '{"b":{"c":2,"d":3}}', version: 2 });
    expect(await rows.update(it.ada, id, { pinned: true })).toMatchObject({ version: 2 });
    const tooLarge = rows.update(it.ada, id, { data: { e: 'e'.repeat(100) } });
    await expect(tooLarge).rejects.toMatchObject({
      fields: [{ type: 'too_long', path: ['data'] }],
    });
  });

  test('that breaks a rule of the table is refused with its field', async () => {
    await using it = await withAda();
    const { rows } = it.notes;
    const problems: [values: object, type: string, field: string][] = [
      [{}, 'missing', 'title'],
      [{ title: null }, 'missing', 'title'],
      [{ title: 'A', size: -1 }, 'value_error', 'size'],
      [{ title: 'A', size: 'many' }, 'value_error', 'size'],
      [{ title: 'A'.repeat(21) }, 'value_error', 'title'],
    ];
    for (const [values, type, field] of problems) {
      await expect(rows.create(it.ada, values as never)).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ type, path: [field] }],
      });
    }
    expect(it.all('select * from notes')).toEqual([]);
  });

  test('that repeats a unique value is a conflict that names the field', async () => {
    await using it = await withAda();
    it.t.deps.db.client.run('create unique index notes_unique on notes (title)');
    await it.notes.rows.create(it.ada, { title: 'A' });
    await expect(it.notes.rows.create(it.ada, { title: 'A' })).rejects.toMatchObject({
      code: 'conflict',
      message: 'Another note has the same title',
    });
  });

  test('without a bin is erased when it is deleted', async () => {
    await using it = await withAda();
    const { id } = await it.notes.rows.create(it.ada, { title: 'A' });
    const ifMatch = { ifMatch: [7] };
    await expect(it.notes.rows.remove(it.ada, id, ifMatch)).rejects.toMatchObject({
      code: 'version_mismatch',
    });
    expect(await it.notes.rows.remove(it.ada, id)).toMatchObject({ title: 'A' });
    expect(it.all('select * from notes')).toEqual([]);
    await expect(it.notes.rows.restore(it.ada, id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('writes nothing but itself if no option asks for more', async () => {
    await using it = await withAda();
    const { id } = await it.notes.rows.create(it.ada, { title: 'A', labels: ['a', 'a'] });
    await it.notes.rows.update(it.ada, id, { title: 'B' });
    expect(it.notes).toMatchObject({
      batch: undefined,
      revisions: undefined,
      events: undefined,
      views: undefined,
      jobs: [],
    });
    const tables = it.all(
      "select name from sqlite_schema where type = 'table' and name like 'note%'",
    );
    expect(tables).toEqual([{ name: 'notes' }]);
  });

  test('has its texts, views, events and revisions, through the bin and back', async () => {
    await using it = await withAda();
    const { rows } = it.pages;
    const { id } = await rows.create(it.ada, { title: 'A', labels: ['x', 'y', 'x'] });
    const texts = () => it.all('select viewer_id, label from page_labels order by 2');
    const shown = [
      { viewer_id: 0, label: 'x' },
      { viewer_id: 0, label: 'y' },
    ];
    expect(texts()).toEqual(shown);
    await rows.remove(it.ada, id);
    expect(texts()).toEqual(shown.map((text) => ({ ...text, viewer_id: -1 })));
    expect(it.all('select is_listed from page_views')).toEqual([{ is_listed: 0 }]);
    await rows.restore(it.ada, id);
    await rows.update(it.ada, id, { labels: ['z'] });
    expect(texts()).toEqual([{ viewer_id: 0, label: 'z' }]);
    expect(it.all('select page_id, views, is_listed from page_views')).toEqual([
      { page_id: id, views: 0, is_listed: 1 },
    ]);
    expect(it.all('select type, version from page_events order by id')).toEqual([
      { type: 'created', version: 1 },
      { type: 'deleted', version: 2 },
      { type: 'created', version: 3 },
      { type: 'updated', version: 4 },
    ]);
    await rows.remove(it.ada, id);
    await rows.erase(it.ada, id);
    for (const table of ['pages', 'page_labels', 'page_views', 'page_revisions']) {
      expect([table, it.all(`select * from ${table}`)]).toEqual([table, []]);
    }
  });

  test('is in the export of its owner, with its history', async () => {
    await using it = await withAda();
    const { id } = await it.pages.rows.create(it.ada, { title: 'A', labels: ['x'] });
    await it.pages.rows.update(it.ada, id, { title: 'B' });
    const response = await it.t.request('GET', '/api/v2/users/me/export', { token: it.ada.token });
    expect(await response.json()).toMatchObject({
      notes: [],
      pages: [{ id, title: 'B', labels: ['x'] }],
      page_revisions: [{ page_id: id, version: 2, before: { title: 'A' } }],
    });
  });
});
