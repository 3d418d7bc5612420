import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type TestApp, testApp } from '../../../support.ts';

/** An item as it is put into the database. */
interface Row {
  id: number;
  owner_id: number;
  title: string;
  description: string;
  tags: string[];
  url: string | null;
  views: number;
  visibility: 'public' | 'private';
  deleted_at: string | null;
}

const AT = '2026-01-02T00:00:00.000Z';
const WORDS = ['warm', 'warmth', 'hutch', 'straw', 'rabbit', 'rare', 'secret'];
const URLS = [null, 'https://a.example', 'https://b.example'];
const [ADA, EVE] = [1, 2];

const text = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 5 });
const content = fc.record({
  title: text.map((words) => words.join(' ')),
  description: text.map((words) => words.join(' ')),
  tags: fc.uniqueArray(fc.constantFrom(...WORDS), { maxLength: 2 }),
  url: fc.constantFrom(...URLS),
  views: fc.integer({ min: 0, max: 50 }),
});
const shown = fc.record({
  hidden: fc.constant(false),
  content,
  owner_id: fc.constantFrom(ADA, EVE),
  isPrivate: fc.boolean(),
});
/** Eve's item, in the bin or private: none of the callers may see it. */
const hidden = fc.record({ hidden: fc.constant(true), content, isPrivate: fc.boolean() });
const rows = fc
  .tuple(
    fc.array(shown, { minLength: 15, maxLength: 25 }),
    fc.array(hidden, { minLength: 15, maxLength: 40 }),
  )
  .chain(([some, others]) =>
    fc.shuffledSubarray([...some, ...others], { minLength: some.length + others.length }),
  );
type Made = typeof rows extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Every second of Ada's is private. Eve's are public, unless they are hidden. */
function rowOf(made: Made, index: number): Row {
  const row = { ...made.content, id: index + 1, deleted_at: null };
  if ('owner_id' in made) {
    const isPrivate = made.owner_id === ADA && made.isPrivate;
    return { ...row, owner_id: made.owner_id, visibility: isPrivate ? 'private' : 'public' };
  }
  if (made.isPrivate) return { ...row, owner_id: EVE, visibility: 'private' };
  return { ...row, owner_id: EVE, visibility: 'public', deleted_at: AT };
}

function insert({ deps }: TestApp, row: Row): void {
  const { client } = deps.db;
  const values = [row.id, row.owner_id, row.title, row.description, row.url, row.visibility];
  client
    .prepare(
      `insert into items (id, owner_id, title, description, url, visibility, tags, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(...values, JSON.stringify(row.tags), AT, AT);
  // It was public until it was put into the bin.
  if (row.deleted_at) {
    client.prepare('update items set deleted_at = ? where id = ?').run(row.deleted_at, row.id);
  }
  const { views, id } = row;
  client
    .prepare('update item_views set views = ?, day = ?, week = ?, month = ? where item_id = ?')
    .run(views, views, views, views, id);
}

async function world(items: Row[]) {
  const t = await testApp({ now: () => new Date(AT), config: { rateLimit: 'off' } });
  const ada = await t.signUp('ada');
  await t.signUp('eve');
  const root = await t.signUp('root', 'admin');
  t.deps.db.client.run('update users set created_at = ?, updated_at = ?', [AT, AT]);
  for (const item of items) insert(t, item);
  t.deps.db.client.run(`update sqlite_sequence set seq = 1000 where name = 'items'`);
  const end = () => t[Symbol.asyncDispose]();
  return { t, tokens: [undefined, ada.token, root.token], [Symbol.asyncDispose]: end };
}

const QUERIES = [
  '',
  ...['id', '-views', 'title', '-created_at', '-views,title', 'title,-id'].map(
    (it) => `sort=${it}`,
  ),
  ...WORDS.flatMap((word) => [`q=${word}`, `q=${word}&sort=title`, `filter[tags][eq]=${word}`]),
  ...['wa', 'war', 'secr', 'se', 'warm rar', 'hutch straw', 'secret sort'].map((q) => `q=${q}`),
  'q=warm&sort=-id',
  'q=warm&filter[tags][eq]=rare',
  'q=hutch&sort=-views,relevance',
  'filter[owner_id][eq]=2',
  'filter[owner_id][in]=1,2&sort=-views',
  'filter[url][eq]=https://a.example',
  'filter[url][in]=https://a.example,https://b.example&sort=title',
  'filter[tags][in]=rare,secret&sort=-title',
  'filter[tags][ne]=rare&filter[title][like]=*secret*',
  'filter[visibility][eq]=private',
  'filter[id][in]=1,2,3,4,5,6,7,8,9,10,11,12&sort=title',
  'filter[views][gte]=10&sort=title',
  'expand=owner&fields=title',
];

const PATHS = [
  ...[0, 3, 10, 1000].map((skip) => `/api/v1/items/?skip=${skip}&limit=4`),
  '/api/v1/items/popular?limit=5',
  ...['day', 'week', 'month', 'all'].map((window) => `/api/v2/items/popular?window=${window}`),
  '/api/v2/items/export',
  '/api/v2/items/export?format=csv',
  ...[1, 2, 3, 4, 5, 1001].flatMap((id) => [
    `/api/v1/items/${id}`,
    `/api/v2/items/${id}`,
    `/api/v2/items/${id}/stats?window=week`,
    `/api/v2/items/${id}/revisions`,
  ]),
];

/** All responses to a caller, page by page; cursors are replaced by their length. */
async function told(t: TestApp, token: string | undefined): Promise<string[]> {
  const answers: string[] = [];
  const get = async (path: string) => {
    const answer = await t.request('GET', path, token ? { token } : {});
    const body = (await answer.text()).replace(/"request_id":"[^"]*"/, '');
    const kept = ['etag', 'x-cache', 'content-type', 'link'].map((it) => answer.headers.get(it));
    const cursor = /"next_cursor":"([^"]*)"/.exec(body)?.[1];
    const text = cursor ? body.replace(cursor, `${cursor.length} bytes`) : body;
    answers.push(JSON.stringify([path.replace(/cursor=.*/, ''), answer.status, kept, text]));
    return cursor;
  };
  for (const query of QUERIES) {
    const path = `/api/v2/items?${query}&limit=5&count=exact`;
    for (let next = await get(path), page = 0; next && page < 3; page++) {
      next = await get(`${path}&cursor=${next}`);
    }
  }
  for (const path of PATHS) await get(path);
  // Reads by v1 count as views.
  await t.deps.views.flush();
  return answers;
}

// proves: input.hidden-items, data.personal-items, 8.2.2
test('items that only another account may see do not change a byte of any response', async () => {
  const check = async (made: Made[]) => {
    const items = made.map(rowOf);
    const others = items.filter((_, index) => !made[index]?.hidden);
    expect(others.length).toBeLessThan(items.length);
    await using full = await world(items);
    await using bare = await world(others);
    for (const [index, token] of full.tokens.entries()) {
      const answers = await told(full.t, token);
      expect(answers.length).toBeGreaterThan(QUERIES.length);
      expect(answers).toEqual(await told(bare.t, bare.tokens[index]));
    }
  };
  await fc.assert(fc.asyncProperty(rows, check), {
    numRuns: Number(process.env['HIDDEN_CASES'] ?? 3),
    endOnFailure: true,
  });
}, 120_000);

describe('a word in a private item', () => {
  const SECRET = 'xylophone';
  const LETTERS = [...'abcdefghijklmnopqrstuvwxyzäöü0123'];

  /** Asks for each letter that may come next, with items of one's own that hold all of them. */
  async function guess(t: TestApp, token: string, start: string): Promise<string[]> {
    const guesses = LETTERS.map((letter) => start + letter);
    const { client } = await t.signUp(`mallory${start}`);
    for (let n = 0; n < 2; n++) {
      await client.api.v2.items.post({ title: `x${n}`, description: guesses.join(' ') });
    }
    const answers = [];
    for (const q of guesses) {
      const get = async (more: string) => {
        const path = `/api/v2/items?q=${encodeURIComponent(q)}&limit=1&fields=id&count=exact${more}`;
        const body = await (await t.request('GET', path, { token })).text();
        return body;
      };
      const first = await get('');
      const cursor = /"next_cursor":"([^"]*)"/.exec(first)?.[1];
      const second = cursor ? await get(`&cursor=${cursor}`) : '';
      answers.push(
        `${first}${second}`.replaceAll(/"next_cursor":"([^"]*)"/g, (it) => `${it.length}`),
      );
    }
    return answers;
  }

  test.each(['private', 'binned'])(
    // proves: 8.2.2
    'is not found by trying letters, when the item is %s',
    async (how) => {
      await using t = await testApp();
      const victim = await t.signUp('victim');
      for (let n = 0; n < 3; n++) {
        const { data } = await victim.client.api.v2.items.post({
          title: 'mine',
          description: SECRET,
          visibility: how === 'private' ? 'private' : 'public',
        });
        if (how === 'binned') await victim.client.api.v2.items({ item_id: data?.id ?? 0 }).delete();
      }
      const spy = await t.signUp('spy');
      await spy.client.api.v2.items.post({ title: 'own', visibility: 'private' });
      for (const start of ['', 'xy', SECRET.slice(0, -1)]) {
        const answers = await guess(t, spy.token, start);
        expect(answers).toHaveLength(LETTERS.length);
        // No guess is answered in another way than the others.
        expect(new Set(answers).size).toBe(1);
      }
    },
  );
});

describe('a change of a hidden item', () => {
  // proves: input.hidden-items
  test('leaves cached responses alone', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const items = ada.client.api.v2.items;
    await items.post({ title: 'a' });
    await items.post({ title: 'mine', visibility: 'private' });
    const states = async () => {
      const paths = ['/api/v1/items/popular', '/api/v2/items/popular?window=all'];
      const answers = await Promise.all(paths.map((path) => t.request('GET', path)));
      return answers.map(({ headers }) => headers.get('x-cache'));
    };
    await states();
    await items.post({ title: 'another', visibility: 'private' });
    await items({ item_id: 2 }).patch({ title: 'changed' });
    await items({ item_id: 2 }).delete();
    expect(await states()).toEqual(['hit', 'hit']);
    await items({ item_id: 1 }).patch({ visibility: 'private' });
    expect((await states())[0]).toBe('miss');
  });
});

describe('a filter that many hidden items match', () => {
  test.each([
    'filter[owner_id][eq]=2',
    'filter[tags][eq]=wood',
    'filter[url][eq]=https://a.example',
  ])(
    'by %s has no page to go on to',
    async (query) => {
      await using it = await world([]);
      const { client } = it.t.deps.db;
      client.run(
        `with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
         insert into items (id, owner_id, title, description, url, tags, visibility, created_at, updated_at)
         select i, 2, 'mine', '', 'https://a.example', '["wood"]', 'private', ?1, ?1 from n`,
        [AT],
      );
      for (const token of it.tokens) {
        const answer = await it.t.request('GET', `/api/v2/items?${query}`, token ? { token } : {});
        expect(await answer.json()).toEqual({
          data: [],
          page: { next_cursor: null, has_more: false, limit: 50 },
        });
      }
    },
    30_000,
  );
});
