import { expect } from 'bun:test';
import { actorFor } from '../../../src/core/actor.ts';
import type { createItemList } from '../../../src/services/items/list.ts';
import { BOUNDS } from '../../../src/services/resources/list/query.ts';
import { NOBODY, type TestApp } from '../../support.ts';

export type List = ReturnType<typeof createItemList>['list'];
export type Query = Parameters<List>[1];
export type Filter = Query['filters'][number];
export type SortKey = NonNullable<Query['sort']>[number];

/** An item in the model, which filters and sorts all items. */
export interface Model {
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

/** Small bounds, so that a page takes several windows and filters are walked. */
export const SMALL = { ...BOUNDS, window: 3, windows: 2, few: 4, entries: 4, maxMs: 60_000 };

export const DATES = [
  '2026-01-01T00:00:00.000Z',
  '2026-01-02T00:00:00.000Z',
  '2026-01-03T00:00:00.000Z',
];

export const CALLERS = [
  NOBODY,
  actorFor({ id: 1, role: 'user' }),
  actorFor({ id: 2, role: 'user' }),
];

/** Ada's public items, numbered in their data. */
export function plain(count: number): Omit<Model, 'id'>[] {
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

export function store({ deps }: TestApp, rows: Omit<Model, 'id'>[]): Model[] {
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

export async function walk(
  list: List,
  caller: Parameters<List>[0],
  query: Query,
): Promise<number[]> {
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

export function naive(
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

export function compare(a: string | number, b: string | number): number {
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
