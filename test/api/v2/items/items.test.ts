import { describe, expect, test } from 'bun:test';
import { atOnce, testApp } from '../../../support.ts';

const FULL = {
  title: 'A warm hutch',
  description: 'Straw included.',
  url: 'https://example.com/hutch',
  tags: ['wood', 'straw'],
  data: { rabbits: 2, size: { w: 1.5 } },
  visibility: 'public' as const,
};

async function withAda() {
  const t = await testApp();
  const ada = await t.signUp('ada');
  const items = ada.client.api.v2.items;
  const created = await items.post(FULL);
  const id = created.data?.id as number;
  return { t, ada, items, created, id, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('creating', () => {
  test('responds 201 with Location, ETag and the whole item', async () => {
    await using it = await withAda();
    const { created } = it;
    expect(created.status).toBe(201);
    expect(created.response?.headers.get('location')).toBe(`/api/v2/items/${it.id}`);
    expect(created.response?.headers.get('etag')).toBe('"v1"');
    expect(created.data).toMatchObject({ ...FULL, views: 0, version: 1, deleted_at: null });
  });

  test('fills in defaults', async () => {
    await using it = await withAda();
    const { data } = await it.items.post({ title: 'b' });
    const rest = { description: '', url: null, tags: [], data: {}, visibility: 'public' };
    expect(data).toMatchObject(rest);
  });

  test('stores a repeated tag once', async () => {
    await using it = await withAda();
    const { data } = await it.items.post({ title: 'b', tags: ['a', 'b', 'a'] });
    expect(data?.tags).toEqual(['a', 'b']);
  });

  test.each([
    ['data that is a list', { data: [] }, 'data', 'dict_type'],
    ['data over 64 KiB', { data: { a: 'x'.repeat(65_530) } }, 'data', 'too_long'],
    ['data that is nested too deep', { data: nested(21) }, 'data', 'too_deep'],
    ['NUL inside data', { data: { a: ['\0'] } }, 'data.a.0', 'value_error'],
    [
      'a key of data with half a character',
      { data: { '\ud800': 1 } },
      'data.\ufffd',
      'value_error',
    ],
    ['an empty tag', { tags: [''] }, 'tags.0', 'string_too_short'],
    ['a tag of 51 characters', { tags: ['x'.repeat(51)] }, 'tags.0', 'string_too_long'],
    ['21 tags', { tags: Array.from({ length: 21 }, (_, n) => `t${n}`) }, 'tags', 'value_error'],
    ['a URL that runs a script', { url: 'javascript:alert(1)' }, 'url', 'url_scheme'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'title', 'string_too_long'],
    ['an unknown field', { views: 7 }, 'views', 'extra_forbidden'],
    // proves: input.item, permissions.item-public
  ])('refuses %s by name', async (_, more, path, code) => {
    await using it = await withAda();
    const answer = await it.t.json('POST', '/api/v2/items', { title: 'a', ...more }, it.ada.token);
    expect(answer.status).toBe(422);
    const { errors } = (await answer.json()) as { errors: { path: string; code: string }[] };
    expect(errors[0]).toMatchObject({ path: `body.${path}`, code });
  });

  test('accepts a backslash before text that looks like an escape', async () => {
    await using it = await withAda();
    const { data } = await it.items.post({ title: 'b', data: { a: '\\u0000' } });
    expect(data?.data).toEqual({ a: '\\u0000' });
  });
});

function nested(depth: number): object {
  return depth === 1 ? {} : { a: nested(depth - 1) };
}

describe('reading', () => {
  test('responds 304 without a body if the client has the version', async () => {
    await using it = await withAda();
    const headers = { 'if-none-match': '"v1"' };
    const answer = await it.t.request('GET', `/api/v2/items/${it.id}`, { headers });
    expect([answer.status, await answer.text()]).toEqual([304, '']);
    expect(answer.headers.get('etag')).toBe('"v1"');
  });

  test('a view does not create a version', async () => {
    await using it = await withAda();
    await it.t.client.api.v1.items({ item_id: it.id }).get();
    const { data, response } = await it.items({ item_id: it.id }).get();
    expect(data?.views).toBe(1);
    expect(response?.headers.get('etag')).toBe('"v1"');
  });

  test('does not count a view', async () => {
    await using it = await withAda();
    await it.items({ item_id: it.id }).get();
    expect((await it.items({ item_id: it.id }).get()).data?.views).toBe(0);
  });

  // proves: permissions.item-private, 8.2.2
  test('a private item is visible to its owner only, and missing for others', async () => {
    await using it = await withAda();
    await it.items({ item_id: it.id }).patch({ visibility: 'private' });
    const path = `/api/v2/items/${it.id}`;
    const others = [
      await it.t.request('GET', path),
      await it.t.request('GET', path, { token: (await it.t.signUp('bob')).token }),
      await it.t.request('GET', path, { token: (await it.t.signUp('root', 'admin')).token }),
      await it.t.json('PATCH', path, { title: 'x' }, (await it.t.signUp('eve')).token),
      await it.t.request('GET', `/api/v1/items/${it.id}`),
    ];
    expect(others.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect((await it.items({ item_id: it.id }).get()).status).toBe(200);
    expect((await it.t.client.api.v1.items.get()).data).toEqual([]);
    expect((await it.t.client.api.v1.items.popular.get()).data).toEqual([]);
  });

  test('an invalid token is refused, although no token is needed', async () => {
    await using it = await withAda();
    const answer = await it.t.request('GET', `/api/v2/items/${it.id}`, { token: 'wrong' });
    expect(answer.status).toBe(401);
  });
});

describe('changing', () => {
  test('keeps missing fields, and merges data', async () => {
    await using it = await withAda();
    const patch = { description: 'New.', data: { rabbits: null, size: { h: 2 } } };
    const { data, response } = await it.items({ item_id: it.id }).patch(patch);
    expect(data).toMatchObject({ title: FULL.title, description: 'New.', version: 2 });
    expect(data?.data).toEqual({ size: { w: 1.5, h: 2 } });
    expect(response?.headers.get('etag')).toBe('"v2"');
  });

  test('equal values are not a change', async () => {
    await using it = await withAda();
    const { data } = await it.items({ item_id: it.id }).patch({ title: FULL.title });
    expect(data?.version).toBe(1);
  });

  // proves: input.item
  test('data that grows too large by merging is refused', async () => {
    await using it = await withAda();
    await it.items({ item_id: it.id }).patch({ data: { a: 'x'.repeat(40_000) } });
    const { error } = await it.items({ item_id: it.id }).patch({ data: { b: 'x'.repeat(40_000) } });
    expect(error?.status).toBe(422);
  });

  test.each([
    ['another version', '"v7"', 412],
    ['a weak tag', 'W/"v1"', 412],
    ['nothing that could be a tag', 'rubbish', 412],
    ['the version among others', '"v7", "v1"', 200],
    ['any', '*', 200],
    ['any in an empty list', ' ,* ,', 200],
    ['a tag that contains commas and a star', '"v7,*,v8"', 412],
    ['a tag that contains the version', '"x,"v1""', 412],
  ])('with If-Match of %s responds with the right status', async (_, tag, status) => {
    await using it = await withAda();
    const answer = await it.t.request('PATCH', `/api/v2/items/${it.id}`, {
      token: it.ada.token,
      headers: { 'content-type': 'application/json', 'if-match': tag },
      body: JSON.stringify({ title: 'b' }),
    });
    expect(answer.status).toBe(status);
  });
});

test('exactly one of 50 concurrent changes of one version wins', async () => {
  await using it = await withAda();
  const answers = await atOnce(50, (index) =>
    it.t.request('PATCH', `/api/v2/items/${it.id}`, {
      token: it.ada.token,
      headers: { 'content-type': 'application/json', 'if-match': '"v1"' },
      body: JSON.stringify({ title: `title ${index}` }),
    }),
  );
  const statuses = answers.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
  expect(statuses.toSorted()).toEqual([200, ...Array(49).fill(412)]);
  const { data } = await it.items({ item_id: it.id }).get();
  expect([data?.version, data?.title]).toEqual([2, `title ${statuses.indexOf(200)}`]);
});

describe('the bin', () => {
  test('hides an item from everyone until it is restored', async () => {
    await using it = await withAda();
    const one = it.items({ item_id: it.id });
    expect((await one.delete()).status).toBe(204);
    expect((await one.get()).status).toBe(404);
    expect((await one.delete()).status).toBe(404);
    expect((await it.t.client.api.v1.items.get()).data).toEqual([]);
    const restored = await one.restore.post();
    expect(restored.data).toMatchObject({ ...FULL, version: 3, deleted_at: null });
    expect((await one.restore.post()).status).toBe(404);
  });

  // proves: permissions.item-in-the-bin
  test('of another account is not accessible', async () => {
    await using it = await withAda();
    const bob = (await it.t.signUp('bob')).client.api.v2.items({ item_id: it.id });
    expect((await bob.delete()).status).toBe(403);
    await it.items({ item_id: it.id }).delete();
    expect((await bob.restore.post()).status).toBe(404);
  });

  // proves: permissions.item-in-the-bin
  test('is open to admins for public items, and only to the owner for private ones', async () => {
    await using it = await withAda();
    const hidden = await it.items.post({ title: 'b', visibility: 'private' });
    const root = (await it.t.signUp('root', 'admin')).client.api.v2.items;
    const statuses = [];
    for (const item_id of [it.id, hidden.data?.id as number]) {
      await it.items({ item_id }).delete();
      statuses.push((await root({ item_id }).restore.post()).status);
    }
    expect(statuses).toEqual([200, 404]);
    expect((await it.items({ item_id: it.id + 1 }).restore.post()).status).toBe(200);
  });

  test('respects If-Match', async () => {
    await using it = await withAda();
    const headers = { 'if-match': '"v2"' };
    const answer = await it.t.request('DELETE', `/api/v2/items/${it.id}`, {
      token: it.ada.token,
      headers,
    });
    expect(answer.status).toBe(412);
  });
});
