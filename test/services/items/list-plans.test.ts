import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../support.ts';

/** Statements that are not part of a list: authentication and the search for deleted accounts. */
const IGNORED = /^select min\("user_id"\)|from "sessions"/;

/** The plans of the statements of a list that `run` makes SQLite parse. Fails if there are none. */
async function plansOf(t: TestApp, run: () => Promise<unknown>): Promise<string[]> {
  const texts = new Set<string>();
  const { prepare } = Database.prototype;
  Database.prototype.prepare = function (this: Database, text: string, ...rest: []) {
    texts.add(text);
    return prepare.call(this, text, ...rest);
  } as typeof prepare;
  try {
    await run();
  } finally {
    Database.prototype.prepare = prepare;
  }
  const statements = [...texts].filter((text) => !IGNORED.test(text));
  expect(statements).not.toEqual([]);
  return statements.map((text) => {
    const plan = t.deps.db.client.query(`explain query plan ${text}`).all() as { detail: string }[];
    return plan.map(({ detail }) => detail).join('; ');
  });
}

/** Scans that are allowed: an index in its own order, and bounded tables. */
const BOUNDED =
  /SCAN (items USING (COVERING )?INDEX items_listed_\w+|item_views USING COVERING INDEX item_views_all|(json_each|picked) VIRTUAL.*|items_fts(_words)? VIRTUAL.*|\(subquery-\d+\)|found|picked)$/;

function unboundedIn(plan: string): string[] {
  return plan.split('; ').filter((step) => step.startsWith('SCAN') && !BOUNDED.test(step));
}

async function withItems() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  for (let n = 0; n < 12; n++) {
    const visibility = n % 2 === 0 ? ('public' as const) : ('private' as const);
    const more = { tags: ['wood'], url: 'https://a.example', data: { n } };
    await ada.client.api.v2.items.post({ title: `warm ${n % 3}`, visibility, ...more });
  }
  return { t, ada, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

/** The plans of a list's first two pages. */
async function plansOfPages(
  { t, ada }: { t: TestApp; ada: { token: string } },
  query: string,
  own: boolean,
) {
  const get = async (more: string) => {
    const path = `/api/v2/items?${query}&limit=2${more}`;
    const answer = await t.request('GET', path, own ? { token: ada.token } : {});
    expect([path, answer.status]).toEqual([path, 200]);
    return (await answer.json()) as { page: { next_cursor: string | null } };
  };
  return plansOf(t, async () => {
    const { page } = await get('');
    if (page.next_cursor) await get(`&cursor=${page.next_cursor}`);
  });
}

const KEYS = ['id', 'created_at', 'updated_at', 'title', 'views'];
const SORTS = KEYS.flatMap((key) => [key, `-${key}`]);

describe('the plan of a list', () => {
  test.each(SORTS)(
    'sorted by %s walks its index, from the start and from a cursor',
    async (sort) => {
      await using it = await withItems();
      const [first, next, ...more] = await plansOfPages(it, `sort=${sort}`, false);
      // Rows are read by id after several ranges were merged.
      const field = sort.replace('-', '');
      expect(more).toHaveLength(field === 'id' ? 0 : 1);
      for (const plan of more)
        expect(plan).toMatch(
          /^SCAN picked .*(; SEARCH \w+ USING INTEGER PRIMARY KEY \(rowid=\?\)){2}$/,
        );
      expect(unboundedIn(first as string)).toEqual([]);
      expect(first).not.toContain('TEMP B-TREE');
      expect(next).not.toMatch(/SCAN (items|item_views)/);
      // Rows that tie with the cursor and rows after it are two index ranges, each read up to the limit.
      const sought = next?.match(/SEARCH \w+ USING (COVERING )?INDEX item\w+ \(.*?\)/g) ?? [];
      expect(sought).toHaveLength(field === 'id' ? 1 : 2);
      for (const range of sought) expect(range).toMatch(new RegExp(`\\(${field}[<>=]`));
      if (field !== 'id') expect(sought.join()).toMatch(/=\? AND (item_)?id[<>]\?/);
    },
  );

  test.each(SORTS)(
    'sorted by %s reads the private items of the caller from their index',
    async (sort) => {
      await using it = await withItems();
      const plans = await plansOfPages(it, `sort=${sort}`, true);
      for (const plan of plans) expect(unboundedIn(plan)).toEqual([]);
      const field = sort.replace('-', '');
      // No index has private items by views: all of them are found by id and sorted in memory.
      const index = field === 'views' ? 'items_private_id' : `items_private_${field}`;
      expect(plans.filter((plan) => plan.includes(`${index} (owner_id=?`))).not.toEqual([]);
    },
  );

  test.each([
    ['a tag', 'filter[tags][eq]=wood', 'item_tags USING PRIMARY KEY (viewer_id=? AND tag=?'],
    ['an owner', 'filter[owner_id][eq]=1', 'items_listed_owner (owner_id=?'],
    ['a url', 'filter[url][eq]=https://a.example', 'items_listed_url (url=?'],
  ])('filtered by %s walks its index by id, from a cursor too', async (_, query, index) => {
    await using it = await withItems();
    const plans = await plansOfPages(it, query, false);
    expect(plans.filter((plan) => plan.includes(index)).length).toBeGreaterThan(1);
    for (const plan of plans) {
      expect(unboundedIn(plan)).toEqual([]);
      expect(plan).not.toContain('TEMP B-TREE');
    }
  });

  test.each([
    'q=warm',
    'q=warm&sort=-created_at',
    'filter[tags][eq]=wood&sort=title',
    'filter[tags][in]=wood,straw',
    'filter[owner_id][eq]=1&sort=-views',
    'filter[owner_id][in]=1,2&sort=-views',
    'filter[id][in]=1,2,3',
    'filter[data.n][gt]=1&sort=title',
    'filter[title][like]=w*&sort=-views',
    'filter[title][gte]=a&filter[title][lt]=z&sort=title',
    'sort=title,-created_at',
    'sort=-views,title',
    'count=exact&filter[data.n][gt]=1',
    'count=exact',
    // proves: costly-work.lists-searches-counts
  ])('for %p scans no table', async (query) => {
    await using it = await withItems();
    for (const own of [false, true]) {
      for (const plan of await plansOfPages(it, query, own)) expect(unboundedIn(plan)).toEqual([]);
    }
  });

  test.each(['bin=only', 'bin=only&sort=title', 'bin=only&sort=-views'])(
    'for %p walks the index of the bin',
    async (query) => {
      await using it = await withItems();
      for (let id = 1; id < 8; id++) await it.ada.client.api.v2.items({ item_id: id }).delete();
      const plans = await plansOfPages(it, query, true);
      expect(plans.join()).toContain('items_binned (owner_id=?');
      for (const plan of plans) expect(unboundedIn(plan)).toEqual([]);
    },
  );
});
