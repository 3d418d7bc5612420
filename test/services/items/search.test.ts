import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { createItemList } from '../../../src/services/items/list.ts';
import { BOUNDS } from '../../../src/services/resources/list/query.ts';
import { testApp } from '../../support.ts';
import {
  CALLERS,
  compare,
  type Model,
  naive,
  plain,
  SMALL,
  type SortKey,
  store,
  walk,
} from './list-model.ts';

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

test('a search returns the same items as checking all of them, in every order, each once', async () => {
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
