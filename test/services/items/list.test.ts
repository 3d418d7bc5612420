import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createItemList } from '../../../src/services/items/list.ts';
import { BOUNDS } from '../../../src/services/resources/list/query.ts';
import { NOBODY, testApp } from '../../support.ts';
import {
  CALLERS,
  DATES,
  type Filter,
  type Model,
  naive,
  plain,
  SMALL,
  store,
  walk,
} from './list-model.ts';

const TITLES = ['a', 'B', 'b', 'ä', 'ab', 'a%b', 'a_b', '💥', '\uffff'];
const VALUES = [1, 2, 2.5, '1', 'x', true, false, null];

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

type ListCase = typeof someQuery extends fc.Arbitrary<infer T> ? T : never;
const someQuery = fc.record({
  caller: fc.constantFrom(...CALLERS),
  filters: fc.array(someFilter, { maxLength: 2 }),
  sort: someSort,
  limit: fc.integer({ min: 1, max: 7 }),
  isSmall: fc.boolean(),
  isBin: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

describe('a walk through all pages', () => {
  test('returns the same items as filtering and sorting all of them, each once', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await t.signUp('bob');
    const check = async (rows: Omit<Model, 'id'>[], queries: ListCase[]) => {
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

describe('a list with a filter that no index serves', () => {
  test('checks a bounded number of items: a page may be short and have a successor', async () => {
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

  test('counts up to the bound, and reports it', async () => {
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
  test('is refused by name if too many items share the first key', async () => {
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

describe('words in more items than are ranked', () => {
  test('are searched in the titles of the newest items, and in other orders only the newest are listed', async () => {
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
