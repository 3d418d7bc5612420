import { describe, expect, test } from 'bun:test';
import { nextTurn } from '../../../../src/utils/async/event-loop.ts';
import { atOnce, testApp } from '../../../support.ts';

const create = (title: string) => ({ op: 'create' as const, item: { title } });

async function withAda() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  const { items } = ada.client.api.v2;
  /** Sends operations of any form. */
  const send = async (operations: unknown, token = ada.token) => {
    const answer = await t.json('POST', '/api/v2/items/batch', { operations }, token);
    return { status: answer.status, body: (await answer.json()) as Body };
  };
  const titles = () => t.deps.db.client.query('select title from items').values().flat();
  return { t, ada, items, send, titles, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

interface Body {
  code: string;
  errors: { path: string; code: string; message: string }[];
}

const reasons = ({ body }: { body: Body }) =>
  body.errors.map(({ path, code }) => `${path} ${code}`);

describe('a batch', () => {
  test('creates, changes and deletes, in order', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'old', data: { a: 1, b: 2 } });
    const { status, data } = await it.items.batch.post({
      operations: [
        create('new'),
        { op: 'update', id: 1, item: { title: 'newer', data: { a: null } }, if_match: 1 },
        { op: 'delete', id: 2 },
        { op: 'update', id: 1, item: { tags: ['x'] }, if_match: 2 },
      ],
    });
    expect(status).toBe(200);
    expect(data?.results).toEqual([
      { op: 'create', id: 2, version: 1 },
      { op: 'update', id: 1, version: 2 },
      { op: 'delete', id: 2, version: 2 },
      { op: 'update', id: 1, version: 3 },
    ]);
    const changed = await it.items({ item_id: 1 }).get();
    expect(changed.data).toMatchObject({ title: 'newer', data: { b: 2 }, tags: ['x'] });
    expect((await it.items({ item_id: 2 }).get()).status).toBe(404);
  });

  test('applies nothing if one operation fails, and reports all that fail', async () => {
    await using it = await withAda();
    const bob = await it.t.signUp('bob');
    await it.items.post({ title: 'mine', data: { a: 'x'.repeat(60_000) } });
    await bob.client.api.v2.items.post({ title: 'public of bob' });
    await bob.client.api.v2.items.post({ title: 'private of bob', visibility: 'private' });
    const answer = await it.send([
      create('fine'),
      { op: 'update', id: 2, item: { title: 'x' } },
      { op: 'delete', id: 3 },
      { op: 'update', id: 1, item: { title: 'x' }, if_match: 7 },
      { op: 'update', id: 1, item: { data: { b: 'x'.repeat(60_000) } } },
    ]);
    expect([answer.status, answer.body.code]).toEqual([422, 'batch_failed']);
    expect(reasons(answer)).toEqual([
      'body.operations.1 forbidden',
      'body.operations.2 not_found',
      'body.operations.3 version_mismatch',
      'body.operations.4.item.data too_long',
    ]);
    expect(it.titles()).toEqual(['mine', 'public of bob', 'private of bob']);
  });

  test('reports invalid input by position and field', async () => {
    await using it = await withAda();
    const answer = await it.send([
      create('fine'),
      { op: 'create', item: { title: '', tags: ['a', ''] } },
      { op: 'create', item: { title: 'a', views: 7 }, id: 3 },
      { op: 'update', id: '1', item: {} },
      { op: 'delete', if_match: 1 },
      { op: 'destroy', id: 1 },
      'delete',
    ]);
    expect([answer.status, answer.body.code]).toEqual([422, 'validation_failed']);
    expect(reasons(answer)).toEqual([
      'body.operations.1.item.title string_too_short',
      'body.operations.1.item.tags.1 string_too_short',
      'body.operations.2.id extra_forbidden',
      'body.operations.2.item.views extra_forbidden',
      'body.operations.3.id value_error',
      'body.operations.4.id missing',
      'body.operations.5 union_tag_invalid',
      'body.operations.6 union_tag_invalid',
    ]);
    expect(it.titles()).toEqual([]);
  });

  test.each([0, 1001])('of %d operations is refused', async (count) => {
    await using it = await withAda();
    const answer = await it.send(Array.from({ length: count }, () => create('a')));
    expect(answer.status).toBe(422);
    expect(it.titles()).toEqual([]);
  });

  // proves: input.json-size
  test('takes 40,000 values and keys in all, and no more', async () => {
    await using it = await withAda();
    const item = (values: number) => ({
      op: 'create',
      item: { title: 'a', data: { list: Array(values).fill(0) } },
    });
    expect((await it.send([item(19_900), item(19_900)])).status).toBe(200);
    const refused = await it.send([item(20_000), item(20_000)]);
    expect(refused).toMatchObject({ status: 400, body: { code: 'malformed_body' } });
  });

  test('of 1,000 operations, all of them wrong, names each', async () => {
    await using it = await withAda();
    const all = Array.from({ length: 1000 }, (_, index) => ({ op: 'delete', id: index + 1 }));
    const answer = await it.send(all);
    expect(answer.body.errors).toHaveLength(1000);
    expect(answer.body.errors[999]?.path).toBe('body.operations.999');
  });

  test('lets others be answered while it is written, and shows them nothing of it', async () => {
    await using it = await withAda();
    const operations = Array.from({ length: 1000 }, (_, index) => create(`t${index}`));
    let isDone = false;
    const batch = it.items.batch.post({ operations }).then(() => {
      isDone = true;
    });
    const seen = new Set<number>();
    let answered = 0;
    while (!isDone) {
      const { data } = await it.t.client.api.v1.items.get({ query: { skip: 0, limit: 1 } });
      seen.add(data?.length ?? -1);
      if (!isDone) answered++;
      await nextTurn();
    }
    await batch;
    expect(answered).toBeGreaterThan(3);
    expect([...seen].every((count) => count === 0 || count === 1)).toBe(true);
    expect(it.titles()).toHaveLength(1000);
  });

  test('undone leaves neither history nor events', async () => {
    await using it = await withAda();
    await it.send([create('a'), { op: 'delete', id: 77 }]);
    const left = ['items', 'item_events', 'item_tags', 'item_views'].map(
      (table) => it.t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0],
    );
    expect(left).toEqual([0, 0, 0, 0]);
  });
});

test('of 50 batches at once over the same items exactly one wins', async () => {
  await using it = await withAda();
  for (const title of ['a', 'b', 'c']) await it.items.post({ title });
  const sent = await atOnce(50, (index) =>
    it.send(
      [1, 2, 3].map((id) => ({ op: 'update', id, item: { title: `by ${index}` }, if_match: 1 })),
    ),
  );
  const answers = sent.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const won = answers.filter(({ status }) => status === 200);
  const lost = answers.filter(({ body }) => body.code === 'batch_failed');
  expect([won.length, lost.length]).toEqual([1, 49]);
  for (const answer of lost) {
    expect(reasons(answer)).toEqual(
      [0, 1, 2].map((at) => `body.operations.${at} version_mismatch`),
    );
  }
  expect(new Set(it.titles()).size).toBe(1);
});
