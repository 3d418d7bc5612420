import { describe, expect, test } from 'bun:test';
import { PASSWORD, testApp } from '../../../support.ts';

const FIRST = { title: 'one', description: 'a', url: null, tags: ['x'], data: { n: 1 } };

async function withHistory() {
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const t = await testApp({ now: () => new Date(now++) });
  const ada = await t.signUp('ada');
  const items = ada.client.api.v2.items;
  await items.post(FIRST);
  const one = items({ item_id: 1 });
  await one.patch({ title: 'two', tags: ['x', 'y'] });
  await one.patch({ title: 'three', data: { n: null, m: [1] } });
  await one.delete();
  await one.restore.post();
  await one.patch({ visibility: 'private' });
  const revert = (version: number, headers: Record<string, string> = {}, token = ada.token) =>
    t.request('POST', '/api/v2/items/1/revisions', {
      token,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ version }),
    });
  return { t, ada, one, revert, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('the revisions of an item', () => {
  test('tell who changed what, the newest first', async () => {
    await using it = await withHistory();
    const { data } = await it.one.revisions.get();
    const received = data?.data.map(({ version, action, changes }) => [version, action, changes]);
    expect(received).toEqual([
      [6, 'update', { visibility: { from: 'public', to: 'private' } }],
      [5, 'restore', {}],
      [4, 'delete', {}],
      [
        3,
        'update',
        { title: { from: 'two', to: 'three' }, data: { from: { n: 1 }, to: { m: [1] } } },
      ],
      [2, 'update', { title: { from: 'one', to: 'two' }, tags: { from: ['x'], to: ['x', 'y'] } }],
      [1, 'create', {}],
    ]);
    expect(new Set(data?.data.map(({ actor_id }) => actor_id))).toEqual(new Set([it.ada.id]));
    const times = data?.data.map(({ at }) => at) ?? [];
    expect(times).toEqual(times.toSorted().toReversed());
    expect(data?.page).toEqual({ next_cursor: null, has_more: false, limit: 20 });
  });

  test('are the same page by page, though it changes meanwhile', async () => {
    await using it = await withHistory();
    const whole = (await it.one.revisions.get()).data?.data ?? [];
    for (const limit of [1, 2, 5, 6]) {
      const seen: typeof whole = [];
      let cursor: string | undefined;
      do {
        const query = { limit, ...(cursor && { cursor }) };
        const { data } = await it.one.revisions.get({ query });
        seen.push(...(data?.data ?? []));
        cursor = data?.page.next_cursor ?? undefined;
        await it.one.patch({ title: crypto.randomUUID(), tags: [crypto.randomUUID()] });
      } while (cursor);
      const last = seen.length - whole.length;
      expect(seen.slice(last)).toEqual(whole);
    }
  });

  test.each([
    ['of another item', 2],
    ['that is none', 1],
  ])('refuse a cursor %s', async (_, item_id) => {
    await using it = await withHistory();
    await it.ada.client.api.v2.items.post({ title: 'other' });
    const { data } = await it.one.revisions.get({ query: { limit: 1 } });
    const cursor = item_id === 2 ? (data?.page.next_cursor ?? '') : 'rubbish';
    const { error } = await it.ada.client.api.v2
      .items({ item_id })
      .revisions.get({ query: { cursor } });
    expect(error?.value).toMatchObject({ code: 'invalid_cursor' });
  });

  // proves: permissions.history-of-an-item
  test('are for its owner alone: what it was may have been private', async () => {
    await using it = await withHistory();
    const path = '/api/v2/items/1/revisions';
    const bob = await it.t.signUp('bob');
    const root = await it.t.signUp('root', 'admin');
    const statuses = async () =>
      Promise.all(
        [undefined, bob.token, root.token, it.ada.token].map(
          async (token) => (await it.t.request('GET', path, token ? { token } : {})).status,
        ),
      );
    expect(await statuses()).toEqual([401, 404, 404, 200]);
    await it.one.patch({ visibility: 'public' });
    expect(await statuses()).toEqual([401, 403, 403, 200]);
    await it.one.delete();
    expect(await statuses()).toEqual([401, 404, 404, 200]);
  });

  test('need a token that may read items', async () => {
    await using it = await withHistory();
    const statusWith = async (scope: 'items:read' | 'items:write') => {
      const body = { name: 'x', scopes: [scope], password: PASSWORD };
      const { data } = await it.ada.client.api.v2.tokens.post(body);
      return (await it.t.clientFor(data?.token).api.v2.items({ item_id: 1 }).revisions.get())
        .status;
    };
    expect([await statusWith('items:read'), await statusWith('items:write')]).toEqual([200, 403]);
  });
});

describe('reverting', () => {
  test('brings back all that it was at a version, as a new change', async () => {
    await using it = await withHistory();
    const answer = await it.revert(1);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('etag')).toBe('"v7"');
    expect(answer.headers.get('location')).toBe('/api/v2/items/1');
    expect(await answer.json()).toMatchObject({ ...FIRST, visibility: 'public', version: 7 });
    const [newest] = (await it.one.revisions.get()).data?.data ?? [];
    expect(newest).toMatchObject({ version: 7, action: 'revert' });
    expect(Object.keys(newest?.changes ?? {}).toSorted()).toEqual([
      'data',
      'tags',
      'title',
      'visibility',
    ]);
  });

  test('a revert can be reverted', async () => {
    await using it = await withHistory();
    const { data: before } = await it.one.get();
    await it.revert(2);
    expect(await (await it.revert(6)).json()).toMatchObject({
      title: before?.title,
      data: before?.data,
      visibility: 'private',
      version: 8,
    });
  });

  test('to what it is now is no change', async () => {
    await using it = await withHistory();
    expect(await (await it.revert(6)).json()).toMatchObject({ version: 6 });
  });

  test('puts nothing into the bin, and takes nothing out', async () => {
    await using it = await withHistory();
    expect(await (await it.revert(4)).json()).toMatchObject({ deleted_at: null });
    await it.one.delete();
    expect((await it.revert(1)).status).toBe(404);
  });

  test.each([
    [7, 404],
    [0, 422],
  ])('to version %i answers %i', async (version, status) => {
    await using it = await withHistory();
    expect((await it.revert(version)).status).toBe(status);
  });

  test.each([
    ['"v5"', 412],
    ['"v6"', 201],
    ['*', 201],
  ])('with If-Match of %s answers %i', async (tag, status) => {
    await using it = await withHistory();
    expect((await it.revert(1, { 'if-match': tag })).status).toBe(status);
  });

  // proves: permissions.history-of-an-item
  test('is for its owner alone', async () => {
    await using it = await withHistory();
    await it.one.patch({ visibility: 'public' });
    const bob = await it.t.signUp('bob');
    const root = await it.t.signUp('root', 'admin');
    expect((await it.revert(1, {}, bob.token)).status).toBe(403);
    expect((await it.revert(1, {}, root.token)).status).toBe(403);
  });

  test('over a history of more than one reading finds what was', async () => {
    await using it = await withHistory();
    for (let n = 0; n < 120; n++) await it.one.patch({ title: `title ${n}` });
    expect(await (await it.revert(2)).json()).toMatchObject({ title: 'two', data: { n: 1 } });
  });
});
