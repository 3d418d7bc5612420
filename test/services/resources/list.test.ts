import { describe, expect, test } from 'bun:test';
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api';
import { type AnyActor, actorFor } from '../../../src/core/actor.ts';
import { flag, integer, text, texts } from '../../../src/resources/declare/columns.ts';
import type { Definition, Resource, Row } from '../../../src/resources/declare/definition.ts';
import { resource } from '../../../src/resources/declare/resource.ts';
import { tablesOf } from '../../../src/resources/declare/tables.ts';
import { createResourceList } from '../../../src/services/resources/list/list.ts';
import { BOUNDS, type Filter, type ListQuery } from '../../../src/services/resources/list/query.ts';
import { searchTables } from '../../../src/services/resources/search/pending.ts';
import { createResourceExport } from '../../../src/services/resources/transfer/export.ts';
import { NOBODY, type TestApp, testApp } from '../../support.ts';
import { compare } from '../items/list-model.ts';

const SMALL = { ...BOUNDS, window: 3, windows: 2, few: 4, entries: 4, maxMs: 60_000 };
const ADMIN = actorFor({ id: 3, role: 'admin' });
const CALLERS: AnyActor[] = [
  NOBODY,
  actorFor({ id: 1, role: 'user' }),
  actorFor({ id: 2, role: 'user' }),
  ADMIN,
];

const columns = {
  title: text({ min: 1, max: 20 }).notNull(),
  level: integer().notNull(),
  is_open: flag().notNull(),
  labels: texts({ max: 10, maxItems: 5 }).notNull(),
};
const lists = {
  columns,
  filter: ['id', 'owner_id', 'title', 'level', 'is_open'],
  sort: ['title', 'level', 'is_open', 'created_at'],
  search: ['title', 'labels'],
} as const;

const RESOURCES: [string, Resource][] = [
  ['anyone', resource('pages', { ...lists, read: 'public', write: 'owner' })],
  [
    'anyone, with a bin',
    resource('leaves', { ...lists, read: 'public', write: 'owner', bin: true }),
  ],
  ['accounts', resource('memos', { ...lists, read: 'user', write: 'user' })],
  ['its owner', resource('notes', { ...lists, read: 'owner', write: 'owner', bin: true })],
  ['its owner, without a bin', resource('drafts', { ...lists, read: 'owner', write: 'owner' })],
  ['admins', resource('records', { ...lists, read: 'admin', write: 'admin' })],
  [
    'whom a rule lets',
    resource('polls', {
      ...lists,
      read: (actor, row) => row.is_open || row.owner_id === actor.id,
      write: 'owner',
    }),
  ],
];

async function createTables({ deps }: TestApp, ...definitions: Definition[]): Promise<void> {
  const tables = definitions.flatMap(tablesOf);
  const named = Object.fromEntries(tables.map((table, index) => [`t${index}`, table]));
  const nothing = await generateSQLiteDrizzleJson({});
  const statements = await generateSQLiteMigration(nothing, await generateSQLiteDrizzleJson(named));
  const searches = definitions.flatMap((it) => searchTables(it).statements);
  for (const statement of [...statements, ...searches]) deps.db.client.run(statement);
}

const TITLES = ['b', 'a', 'ä', 'straw', 'straw hut', 'B'];

/** Rows with many equal values, of two owners; every seventh is in the bin, if there is one. */
function insertRows({ deps }: TestApp, { name, hasBin }: Definition, count = 30): Row[] {
  const rows = Array.from(
    { length: count },
    (_, index): Row => ({
      id: index + 1,
      owner_id: 1 + (index % 2),
      title: TITLES[(index * 5) % TITLES.length] as string,
      level: index % 4,
      is_open: index % 3 === 0 ? 1 : 0,
      labels: JSON.stringify(index % 5 === 0 ? ['straw'] : []),
      version: 1,
      created_at: `2026-01-0${1 + (index % 3)}T00:00:00.000Z`,
      updated_at: '2026-01-01T00:00:00.000Z',
      ...(hasBin && { deleted_at: index % 7 === 6 ? '2026-02-01T00:00:00.000Z' : null }),
    }),
  );
  for (const row of rows) {
    const names = Object.keys(row);
    const marks = names.map(() => '?').join();
    deps.db.client
      .prepare(`insert into ${name} (${names.join()}) values (${marks})`)
      .run(...Object.values(row));
  }
  return rows;
}

function isShown(definition: Definition, { id, role }: AnyActor, row: Row): boolean {
  const { read } = definition;
  if (typeof row['deleted_at'] === 'string') return false;
  if (read === 'owner') return row.owner_id === id;
  if (read === 'admin') return role === 'admin';
  if (read === 'user') return id !== null;
  return read === 'public' || row['is_open'] === 1 || row.owner_id === id;
}

type Sort = NonNullable<ListQuery['sort']>;

function sorted(rows: readonly Row[], sort: Sort): number[] {
  const last = sort.at(-1) as Sort[number];
  const keys = [...sort, { field: 'id', isDescending: last.isDescending }];
  const order = (a: Row, b: Row) => {
    for (const { field, isDescending } of keys) {
      const difference = compare(a[field] as string, b[field] as string);
      if (difference !== 0) return isDescending ? -difference : difference;
    }
    return 0;
  };
  return rows.toSorted(order).map(({ id }) => id);
}

const filter = (field: string, op: Filter['op'], ...values: Filter['values']): Filter => ({
  ...{ field, op, path: [], values },
});

const FILTERS: [Filter[], (row: Row) => boolean][] = [
  [[], () => true],
  [[filter('title', 'eq', 'straw')], ({ title }) => title === 'straw'],
  [[filter('level', 'gte', 2), filter('level', 'lt', 3)], ({ level }) => level === 2],
  [[filter('is_open', 'eq', 'true')], ({ is_open }) => is_open === 1],
  [[filter('is_open', 'ne', 'true')], ({ is_open }) => is_open === 0],
  [[filter('owner_id', 'in', 1, 9)], ({ owner_id }) => owner_id === 1],
  [[filter('title', 'like', '*tra*')], ({ title }) => String(title).includes('tra')],
];

const key = (field: string, isDescending = false) => ({ field, isDescending });
const SORTS: Sort[] = [
  ...['id', 'title', 'level', 'is_open', 'created_at'].flatMap((it) => [
    [key(it)],
    [key(it, true)],
  ]),
  [key('level', true), key('title')],
];

type List = ReturnType<typeof createResourceList>['list'];

async function walk(list: List, actor: AnyActor, query: Omit<ListQuery, 'limit' | 'columns'>) {
  const ids: number[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 100; page++) {
    const found = await list(actor, { ...query, limit: 4, cursor, columns: ['title'] });
    ids.push(...found.data.map(({ id }) => id));
    if (!found.page.next_cursor) return ids;
    cursor = found.page.next_cursor;
  }
  throw new Error('The walk does not end.');
}

describe.each(RESOURCES)('a list of rows that %s may read', (_, { definition }) => {
  test('has those that pass, in every order, each once', async () => {
    await using t = await testApp();
    for (const name of ['ada', 'bob', 'root']) await t.signUp(name);
    await createTables(t, definition);
    const rows = insertRows(t, definition);
    for (const bounds of [SMALL, BOUNDS]) {
      const { list } = createResourceList(definition, { ...t.deps, bounds });
      for (const actor of CALLERS) {
        const shown = rows.filter((row) => isShown(definition, actor, row));
        for (const [filters, passes] of FILTERS) {
          const wanted = shown.filter(passes);
          for (const sort of SORTS) {
            const context = JSON.stringify([actor.id, bounds.window, filters, sort]);
            const ids = await walk(list, actor, { filters, sort });
            expect([context, ids]).toEqual([context, sorted(wanted, sort)]);
          }
          const counting = { filters, limit: 1, columns: [], count: 'exact' } as const;
          const { total } = await list(actor, counting);
          if (bounds === BOUNDS) expect(total).toBe(wanted.length);
        }
      }
    }
  }, 60_000);

  test('has those with the words of a search, most relevant first', async () => {
    await using t = await testApp();
    for (const name of ['ada', 'bob', 'root']) await t.signUp(name);
    await createTables(t, definition);
    const rows = insertRows(t, definition);
    const { list } = createResourceList(definition, { ...t.deps, bounds: SMALL });
    const isTitled = ({ title }: Row) => String(title).startsWith('straw');
    const hasWord = (row: Row) => isTitled(row) || row['labels'] !== '[]';
    for (const actor of CALLERS) {
      const found = rows
        .filter((row) => isShown(definition, actor, row) && hasWord(row))
        .toReversed();
      const wanted = [...found.filter(isTitled), ...found.filter((row) => !isTitled(row))];
      const ids = await walk(list, actor, { filters: [], q: 'straw' });
      expect([actor.id, ids]).toEqual([actor.id, wanted.map(({ id }) => id)]);
    }
  });

  test('and its find and export have no others', async () => {
    await using t = await testApp();
    for (const name of ['ada', 'bob', 'root']) await t.signUp(name);
    await createTables(t, definition);
    const rows = insertRows(t, definition);
    const { find } = createResourceList(definition, t.deps);
    const ids = [...rows.map(({ id }) => id), 99];
    for (const actor of CALLERS) {
      const found = await find(actor, ids);
      const shown = rows.filter((row) => isShown(definition, actor, row));
      expect([...found.keys()]).toEqual(shown.map(({ id }) => id));
      for (const row of found.values()) expect(rows).toContainEqual(row as Row);
    }
    const { lines } = createResourceExport(definition, t.deps);
    let exported = '';
    const own = { format: 'jsonl', ownerId: 1, filters: [filter('level', 'eq', 0)] } as const;
    for await (const { text: part } of lines(own)) exported += part;
    const wanted = rows.filter(
      (row) => row.owner_id === 1 && row['level'] === 0 && typeof row['deleted_at'] !== 'string',
    );
    expect(wanted.length).toBeGreaterThan(3);
    expect(
      exported
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(
      wanted.map(({ title, level, is_open, labels }) => ({
        ...{ title, level, is_open: is_open === 1 },
        labels: JSON.parse(String(labels)),
      })),
    );
  });
});
