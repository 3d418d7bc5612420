import { describe, expect, test } from 'bun:test';
import { orThrow, pages } from '../../src/client.ts';
import { testApp } from '../support.ts';

type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles if both types are the same. */
function hasType<Expected>() {
  return <Given>(_value: Given, _isSame: Same<Expected, Given>) => {};
}

async function withItem() {
  const t = await testApp();
  const { client } = await t.signUp('ada');
  const { id } = orThrow(await client.v2.items.post({ title: 'straw', tags: ['dry'] }));
  return { id, items: client.v2.items, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('an item read by the client', () => {
  test('has all of its fields, in its type and at run time, without `fields`', async () => {
    await using it = await withItem();
    const item = orThrow(await it.items({ item_id: it.id }).get());
    const [listed] = orThrow(await it.items.get({ query: { sort: '-id', limit: 1 } })).data;
    hasType<string>()(item.title, true);
    hasType<string[] | undefined>()(listed?.tags, true);
    expect(item).toMatchObject({ title: 'straw', tags: ['dry'], views: 0 });
    expect(listed).toEqual(item);
  });

  test('has only the selected fields', async () => {
    await using it = await withItem();
    const one = orThrow(await it.items({ item_id: it.id }).get({ query: { fields: 'title' } }));
    const { data } = orThrow(await it.items.get({ query: { fields: ['title', 'tags'] } }));
    hasType<string>()(one.title, true);
    // @ts-expect-error: it is not selected
    expect(one.views).toBeUndefined();
    hasType<string[] | undefined>()(data[0]?.tags, true);
    // @ts-expect-error: it is not selected
    expect(data[0]?.views).toBeUndefined();
    expect(data).toEqual([{ id: it.id, title: 'straw', tags: ['dry'] }] as never);
  });

  test('has its owner if it is requested', async () => {
    await using it = await withItem();
    const query = { fields: ['title'], expand: 'owner' } as const;
    const one = orThrow(await it.items({ item_id: it.id }).get({ query }));
    hasType<string | undefined>()(one.owner?.username, true);
    expect(one.owner?.username).toBe('ada');
  });

  test('may lack any field if the list is not known at compile time', async () => {
    await using it = await withItem();
    const fields: ('title' | 'tags')[] = ['title'];
    const one = orThrow(await it.items({ item_id: it.id }).get({ query: { fields } }));
    hasType<string | undefined>()(one.title, true);
    hasType<string[] | undefined>()(one.tags, true);
    hasType<number>()(one.id, true);
    expect(one.tags).toBeUndefined();
  });

  test('has the same type from pages() as from get()', async () => {
    await using it = await withItem();
    for await (const item of pages(it.items)) hasType<number>()(item.views, true);
    const titles: string[] = [];
    for await (const item of pages(it.items, { query: { fields: 'title', limit: 1 } })) {
      titles.push(item.title);
      // @ts-expect-error: it is not selected
      expect(item.views).toBeUndefined();
    }
    for await (const page of pages(it.items, { query: { fields: ['tags'] } }).byPage()) {
      hasType<string[] | undefined>()(page.data[0]?.tags, true);
    }
    expect(titles).toEqual(['straw']);
  });

  test('has the media type of sparse responses only with `fields`', async () => {
    await using it = await withItem();
    const types = await Promise.all([
      it.items.get(),
      it.items.get({ query: { expand: 'owner' } }),
      it.items.get({ query: { fields: 'title' } }),
      it.items({ item_id: it.id }).get({ query: { fields: ['id', 'title'] } }),
    ]);
    const whole = 'application/json';
    const sparse = 'application/vnd.hutch.sparse+json';
    expect(types.map(({ headers }) => headers.get('content-type'))).toEqual([
      whole,
      whole,
      sparse,
      sparse,
    ]);
  });
});
