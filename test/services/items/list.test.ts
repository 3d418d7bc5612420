import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { actorFor } from '../../../src/core/actor.ts';
import { createItemList } from '../../../src/services/items/list/list.ts';
import { BOUNDS } from '../../../src/services/items/list/query.ts';
import { NOBODY, type TestApp, testApp } from '../../support.ts';

type List = TestApp['deps']['itemList']['list'];
type Query = Parameters<List>[1];
type Filter = Query['filters'][number];
type SortKey = NonNullable<Query['sort']>[number];

/** An item as the naive list knows it. */
interface Model {
  id: number;
  owner_id: number;
  title: string;
  url: string | null;
  tags: string[];
  data: Record<string, unknown>;
  visibility: 'public' | 'private';
  version: number;
  views: number;
  created_at: string;
  updated_at: string;
  is_binned: boolean;
}

/** So small that pages are made of several windows, and that filters are walked. */
const SMALL = { ...BOUNDS, window: 3, windows: 2, few: 4, entries: 4, maxMs: 60_000 };

const TITLES = ['a', 'B', 'b', 'ä', 'ab', 'a%b', 'a_b', '💥', '\uffff'];
const VALUES = [1, 2, 2.5, '1', 'x', true, false, null];
const DATES = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'];

const someItem = fc.record({
  owner_id: fc.constantFrom(1, 2),
  title: fc.constantFrom(...TITLES),
  url: fc.constantFrom(null, 'https://a.example', 'https://b.example'),
  tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 }),
  data: fc.oneof(
    fc.constant({}),
    fc.constantFrom(...VALUES).map((n) => ({ a: { n } })),
  ),
  visibility: fc.constantFrom('public' as const, 'private' as const),
  version: fc.integer({ min: 1, max: 3 }),
  views: fc.integer({ min: 0, max: 3 }),
  created_at: fc.constantFrom(...DATES),
  updated_at: fc.constantFrom(...DATES),
  is_binned: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});

const FIELDS = ['id', 'created_at', 'updated_at', 'title', 'views'] as const;
const someSort = fc.uniqueArray(
  fc.record({ field: fc.constantFrom(...FIELDS), isDescending: fc.boolean() }),
  { minLength: 1, maxLength: 3, selector: ({ field }) => field },
);

const ORDERED = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
const one = <T>(field: Filter['field'], ops: readonly Filter['op'][], values: readonly T[]) =>
  fc.record({
    field: fc.constant(field),
    path: fc.constant(field === 'data' ? ['a', 'n'] : []),
    op: fc.constantFrom(...ops),
    values: fc.constantFrom(...values).map((value) => [value]),
  });
const many = <T>(field: Filter['field'], values: readonly T[]) =>
  fc.record({
    field: fc.constant(field),
    path: fc.constant(field === 'data' ? ['a', 'n'] : []),
    op: fc.constant('in' as const),
    values: fc.array(fc.constantFrom(...values), { maxLength: 3 }),
  });
const numbers = [0, 1, 2, 3, 7];
const someFilter = fc.oneof(
  ...(['id', 'owner_id', 'version', 'views'] as const).flatMap((field) => [
    one(field, ORDERED, numbers),
    many(field, numbers),
  ]),
  ...(['created_at', 'updated_at'] as const).flatMap((field) => [
    one(field, ORDERED, DATES),
    many(field, DATES),
  ]),
  one('title', ORDERED, TITLES),
  one('title', ['like'], ['a*', '*B', '*%*', 'a_b', '*', '*a*b*']),
  many('title', TITLES),
  one('url', ['eq', 'ne'], ['https://a.example', 'none']),
  one('url', ['is'], ['null', 'not_null']),
  many('tags', ['x', 'y', 'none']),
  one('tags', ['eq', 'ne'], ['x', 'y', 'none']),
  one('visibility', ['eq', 'ne', 'in'], ['public', 'private']),
  one('data', ['eq', 'ne'], VALUES),
  one('data', ['gt', 'gte', 'lt', 'lte'], [1, 2, 'x', '1']),
  one('data', ['is'], ['null', 'not_null', 'true', 'false']),
  one('data', ['like'], ['x*', '1', '*']),
  many('data', VALUES),
) as fc.Arbitrary<Filter>;

const CALLERS = [NOBODY, actorFor({ id: 1, role: 'user' }), actorFor({ id: 2, role: 'user' })];
type Asked = typeof someQuery extends fc.Arbitrary<infer T> ? T : never;
const someQuery = fc.record({
  caller: fc.constantFrom(...CALLERS),
  filters: fc.array(someFilter, { maxLength: 2 }),
  sort: someSort,
  limit: fc.integer({ min: 1, max: 7 }),
  isSmall: fc.boolean(),
  isBin: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

describe('a walk through all pages', () => {
  test('gives what filtering and sorting all items gives, once each', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await t.signUp('bob');
    const check = async (rows: Omit<Model, 'id'>[], queries: Asked[]) => {
      const items = store(t, rows);
      for (const { caller, filters, sort, limit, isBin, isSmall } of queries) {
        const bin = isBin && caller.id !== null ? ('only' as const) : undefined;
        const query = { filters, sort, limit, bin, count: 'exact' as const, columns: [] };
        const list = createItemList({ ...t.deps, bounds: isSmall ? SMALL : BOUNDS }).list;
        const wanted = naive(items, caller.id ?? undefined, bin !== undefined, filters, sort);
        const context = JSON.stringify({ caller, isSmall, ...query });
        expect({ context, ids: await walk(list, caller, query) }).toEqual({ context, ids: wanted });
        const { total } = await list(caller, query);
        if (!isSmall) expect({ context, total }).toEqual({ context, total: wanted.length });
      }
    };
    const property = fc.asyncProperty(
      fc.array(someItem, { maxLength: 40 }),
      fc.array(someQuery, { minLength: 20, maxLength: 20 }),
      check,
    );
    await fc.assert(property, { numRuns: Number(process.env['LIST_CASES'] ?? 40) });
  }, 120_000);
});

describe('a list whose filter no index serves', () => {
  test('looks at so many items and no more: a page may be short and go on', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    store(t, plain(20));
    const { list } = createItemList({ ...t.deps, bounds: SMALL });
    const filter = { field: 'id', path: [], op: 'ne', values: [1] } as const;
    const rare = { field: 'data', path: ['n'], op: 'eq', values: [20] } as const;
    const query = { filters: [filter, rare], sort: [], limit: 5, columns: [] };
    const sort = [{ field: 'id', isDescending: false }] as const;
    const pages = [];
    let cursor: string | undefined;
    do {
      const page = await list(NOBODY, { ...query, sort, cursor });
      pages.push(page.data.map(({ id }) => id));
      cursor = page.page.next_cursor ?? undefined;
    } while (cursor);
    // Two windows of three items each.
    expect(pages).toEqual([[], [], [], [20]]);
  });

  test('counts as far as it looks, and says so', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    store(t, plain(20));
    const { list } = createItemList({ ...t.deps, bounds: { ...SMALL, counted: 10 } });
    const query = { filters: [], limit: 1, columns: [], count: 'exact' } as const;
    expect(await list(NOBODY, query)).toMatchObject({ total: 10, total_is_capped: true });
    const ne = { field: 'title', path: [], op: 'ne', values: ['x'] } as const;
    const filtered = { ...query, filters: [ne] };
    expect(await list(NOBODY, filtered)).toMatchObject({ total: 6, total_is_capped: true });
    const exact = createItemList({ ...t.deps, bounds: { ...SMALL, counted: 20 } });
    expect(await exact.list(NOBODY, query)).toMatchObject({ total: 20, total_is_capped: false });
  });
});

describe('a sort by several keys', () => {
  test('is refused, by name, where too many items share the first', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    store(t, plain(20));
    const { list } = createItemList({ ...t.deps, bounds: { ...SMALL, most: 15 } });
    const sort = [
      { field: 'views', isDescending: true },
      { field: 'title', isDescending: false },
    ] as const;
    const refused = await list(NOBODY, { filters: [], sort, limit: 5, columns: [] }).catch(
      (error) => error,
    );
    expect(refused).toMatchObject({
      code: 'invalid_query',
      fields: [{ path: ['sort'] }],
    });
  });
});

describe('words that more items hold than are ranked', () => {
  test('are looked for in the titles of the newest, and sorted otherwise only the newest', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const items = plain(20).map((item, index) => ({
      ...item,
      title: index % 4 === 0 ? 'warm' : 'other',
      tags: ['warm'],
    }));
    store(t, items);
    const { list } = createItemList({ ...t.deps, bounds: { ...SMALL, most: 10 } });
    const query = { filters: [], limit: 3, columns: [] };
    const newest = [20, 19, 18, 17, 16, 15, 14, 13, 12, 11];
    const others = [20, 19, 18, 16, 15, 14, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    const ranked = [17, 13, ...others];
    expect(await walk(list, NOBODY, { ...query, q: 'warm' })).toEqual(ranked);
    expect(await walk(list, NOBODY, { ...query, q: 'war' })).toEqual(ranked);
    const sort = [{ field: 'id', isDescending: false }] as const;
    const sorted = await walk(list, NOBODY, { ...query, q: 'warm', sort });
    expect(sorted).toEqual(newest.toSorted((a, b) => a - b));
    const { total_is_capped } = await list(NOBODY, { ...query, q: 'warm', count: 'exact' });
    expect(total_is_capped).toBe(true);
  });
});

/** Ada's public items, numbered in their data. */
function plain(count: number): Omit<Model, 'id'>[] {
  const at = DATES[0] as string;
  return Array.from({ length: count }, (_, index) => ({
    owner_id: 1,
    title: 'a',
    url: null,
    tags: [],
    data: { n: index + 1 },
    visibility: 'public',
    version: 1,
    views: 0,
    created_at: at,
    updated_at: at,
    is_binned: false,
  }));
}

function store({ deps }: TestApp, rows: Omit<Model, 'id'>[]): Model[] {
  const { client } = deps.db;
  client.run('delete from items');
  client.run(`delete from sqlite_sequence where name = 'items'`);
  return rows.map((row, index) => {
    const id = index + 1;
    client
      .prepare(
        'insert into items (owner_id, title, description, url, tags, data, visibility, version, created_at, updated_at, deleted_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        row.owner_id,
        row.title,
        '',
        row.url,
        JSON.stringify(row.tags),
        JSON.stringify(row.data),
        row.visibility,
        row.version,
        row.created_at,
        row.updated_at,
        row.is_binned ? row.updated_at : null,
      );
    client.prepare('update item_views set views = ? where item_id = ?').run(row.views, id);
    return { ...row, id };
  });
}

async function walk(list: List, caller: Parameters<List>[0], query: Query): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 100; page++) {
    const found = await list(caller, { ...query, cursor, count: undefined });
    ids.push(...found.data.map(({ id }) => id));
    expect(found.data.length).toBeLessThanOrEqual(query.limit);
    expect(found.page.has_more).toBe(found.page.next_cursor !== null);
    if (!found.page.next_cursor) return ids;
    cursor = found.page.next_cursor;
  }
  throw new Error('The walk does not end.');
}

function naive(
  items: Model[],
  callerId: number | undefined,
  isBin: boolean,
  filters: Filter[],
  sort: SortKey[],
): number[] {
  const isShown = (item: Model) =>
    isBin
      ? item.is_binned && item.owner_id === callerId
      : !item.is_binned && (item.visibility === 'public' || item.owner_id === callerId);
  return items
    .filter((item) => isShown(item) && filters.every((filter) => holds(filter, item)))
    .sort(comparing(sort))
    .map(({ id }) => id);
}

function comparing(sort: SortKey[]) {
  const last = sort.at(-1) as SortKey;
  const isDescending = last.field === 'views' ? !last.isDescending : last.isDescending;
  const keys = [...sort, { field: 'id', isDescending } as const];
  return (a: Model, b: Model) => {
    for (const { field, isDescending } of keys) {
      const order = compare(Reflect.get(a, field), Reflect.get(b, field));
      if (order !== 0) return isDescending ? -order : order;
    }
    return 0;
  };
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number') return a - Number(b);
  return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
}

function holds({ field, path, op, values }: Filter, item: Model): boolean {
  const [value] = values;
  if (field === 'tags') {
    const isThere = item.tags.some((tag) => values.includes(tag));
    return op === 'ne' ? !isThere : isThere;
  }
  let actual: unknown = item[field];
  for (const key of path) actual = (actual as Record<string, unknown> | undefined)?.[key];
  if (op === 'eq') return actual === value;
  if (op === 'ne') return actual !== value;
  if (op === 'in') return values.some((each) => each === actual);
  if (op === 'is') {
    if (value === 'null') return actual === null || actual === undefined;
    if (value === 'not_null') return actual !== null && actual !== undefined;
    return actual === (value === 'true');
  }
  if (op === 'like') return typeof actual === 'string' && isLike(actual, String(value));
  if (typeof actual !== typeof value) return false;
  const order = compare(actual as string, value as string);
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[op];
}

function isLike(text: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text);
}

const WORDS = ['warm', 'war', 'hutch', 'hut', 'straw', 'élan', '2026', 'a'];
const someText = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 4 })
  .map((words) => words.join(' '));
const someWords = fc.record({
  title: someText.filter((text) => text !== ''),
  tags: fc.uniqueArray(fc.constantFrom(...WORDS), { maxLength: 2 }),
  owner_id: fc.constantFrom(1, 2),
  visibility: fc.constantFrom('public' as const, 'private' as const),
  is_binned: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});
const someSearch = fc.record({
  caller: fc.constantFrom(...CALLERS),
  q: fc
    .array(fc.constantFrom(...WORDS, 'wa', 'hutc', 'HUT', 'elan', 'st'), {
      minLength: 1,
      maxLength: 3,
    })
    .map((words) => words.join(' ')),
  sort: fc.constantFrom<SortKey[] | undefined>(
    undefined,
    [{ field: 'id', isDescending: true }],
    [{ field: 'id', isDescending: false }],
    [{ field: 'title', isDescending: false }],
    [{ field: 'relevance', isDescending: true }],
    [
      { field: 'relevance', isDescending: false },
      { field: 'title', isDescending: true },
    ],
  ),
  limit: fc.integer({ min: 1, max: 7 }),
  isSmall: fc.boolean(),
  isBin: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

test('words find what looking at all items finds, in every order, once each', async () => {
  await using t = await testApp();
  await t.signUp('ada');
  await t.signUp('bob');
  const [template] = plain(1) as [Omit<Model, 'id'>];
  const check = async (
    rows: (typeof someWords extends fc.Arbitrary<infer T> ? T : never)[],
    searches: (typeof someSearch extends fc.Arbitrary<infer T> ? T : never)[],
  ) => {
    const items = store(
      t,
      rows.map((row) => ({ ...template, ...row })),
    );
    for (const { caller, q, sort, limit, isSmall, isBin } of searches) {
      const bin = isBin && caller.id !== null ? ('only' as const) : undefined;
      const query = { filters: [], q, sort, limit, bin, columns: [] };
      const bounds = isSmall ? { ...SMALL, most: 1000 } : BOUNDS;
      const { list } = createItemList({ ...t.deps, bounds });
      const shown = naive(
        items,
        caller.id ?? undefined,
        bin !== undefined,
        [],
        [{ field: 'id', isDescending: false }],
      );
      const wanted = naiveWords(
        items.filter(({ id }) => shown.includes(id)),
        q,
        sort ?? [{ field: 'relevance', isDescending: false }],
      );
      const context = JSON.stringify({ caller, isSmall, q, sort, limit, bin });
      expect({ context, ids: await walk(list, caller, query) }).toEqual({ context, ids: wanted });
      const { total } = await list(caller, { ...query, count: 'exact' });
      expect({ context, total }).toEqual({ context, total: wanted.length });
    }
  };
  const property = fc.asyncProperty(
    fc.array(someWords, { maxLength: 40 }),
    fc.array(someSearch, { minLength: 15, maxLength: 15 }),
    check,
  );
  await fc.assert(property, { numRuns: Number(process.env['LIST_CASES'] ?? 40) });
}, 120_000);

function naiveWords(items: Model[], q: string, sort: SortKey[]): number[] {
  const fold = (text: string) =>
    text
      .toLowerCase()
      .replaceAll('é', 'e')
      .split(/[^\p{L}\p{N}]+/u);
  const words = fold(q);
  const holdsAll = (text: string) =>
    words.every((word) => {
      const mayStart = word === words.at(-1) && word.length > 1;
      return fold(text).some((other) => other === word || (mayStart && other.startsWith(word)));
    });
  const found = items
    .filter(({ title, tags }) => holdsAll(`${title} ${tags.join(' ')}`))
    .map((item) => ({ ...item, relevance: holdsAll(item.title) ? 0 : 1 }));
  const keys = sort.map(({ field, isDescending }) => ({ field, isDescending }));
  const last = keys.at(-1) as SortKey;
  const isOther = last.field === 'relevance';
  const order = [...keys, { field: 'id', isDescending: isOther !== last.isDescending } as const];
  return found
    .sort((a, b) => {
      for (const { field, isDescending } of order) {
        const difference = compare(Reflect.get(a, field), Reflect.get(b, field));
        if (difference !== 0) return isDescending ? -difference : difference;
      }
      return 0;
    })
    .map(({ id }) => id);
}
