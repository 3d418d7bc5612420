import { expect, test } from 'bun:test';
import { NOBODY, testApp } from '../../../support.ts';

async function withItem() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  await ada.client.api.v1.items.post({ title: 'a' });
  return { t, ada, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

test('a read during a flush counts each view once', async () => {
  await using it = await withItem();
  const { db, items, views } = it.t.deps;
  for (let round = 1; round <= 5; round++) {
    await items.view(1);
    const flush = views.flush();
    const seen: Promise<number>[] = [];
    // Read right before the commit, in the same group of writers, and answered right after it.
    await db.write(async () => {
      seen.push(items.get(NOBODY, 1).then((item) => item.views));
      seen.push(items.list(0, 1).then(([item]) => item?.views ?? 0));
    });
    await flush;
    expect(await Promise.all(seen)).toEqual([round, round]);
  }
});

test('a change during a flush counts each view once', async () => {
  await using it = await withItem();
  const { items, views } = it.t.deps;
  const ada = { ...it.ada, role: 'user' as const };
  await items.view(1);
  const [before] = await Promise.all([items.update(ada, 1, { title: 'b' }), views.flush()]);
  await items.view(1);
  const [, after] = await Promise.all([views.flush(), items.update(ada, 1, { title: 'c' })]);
  expect([before.views, after.views]).toEqual([1, 2]);
});
