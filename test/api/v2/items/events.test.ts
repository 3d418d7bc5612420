import { describe, expect, test } from 'bun:test';
import { readEvents } from '../../../events.ts';
import { PASSWORD } from '../../../support.ts';
import { listen, PATH, short, withAda } from './events-support.ts';

describe('listening', () => {
  test('receives created, updated and deleted events with the item', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    const { data: created } = await it.items.post({ title: 'a', tags: ['x'], data: { n: 1 } });
    const first = await listener.next();
    expect(first).toEqual({
      id: '1',
      event: 'created',
      data: { item: created, item_id: 1, version: 1, at: created?.created_at },
    });
    await it.items({ item_id: 1 }).patch({ title: 'b' });
    expect(short(await listener.next())).toEqual([2, 'updated', 1, 2, 'b']);
    await it.items({ item_id: 1 }).delete();
    expect(short(await listener.next())).toEqual([3, 'deleted', 1, 3, null]);
    await it.items({ item_id: 1 }).restore.post();
    expect(short(await listener.next())).toEqual([4, 'created', 1, 4, 'b']);
  });

  test('returns a stream that is neither cached nor buffered', async () => {
    await using it = await withAda();
    const { answer, opening } = await listen(it.t);
    const named = (name: string) => answer.headers.get(name);
    expect(answer.status).toBe(200);
    expect(named('content-type')).toBe('text/event-stream');
    expect(named('cache-control')).toBe('no-store');
    expect(named('x-accel-buffering')).toBe('no');
    expect(named('x-content-type-options')).toBe('nosniff');
    expect(opening).toEqual({ retry: '3000', id: '0' });
  });

  test('receives changes made through v1 like those made through v2', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    await it.ada.client.api.v1.items.post({ title: 'a' });
    expect(short(await listener.next())).toEqual([1, 'created', 1, 1, 'a']);
  });

  test('receives deleted events only for the public items of a deleted account', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'a' });
    await it.items.post({ title: 'b', visibility: 'private' });
    await it.items.post({ title: 'c' });
    await it.items({ item_id: 3 }).delete();
    const listener = await listen(it.t);
    await it.ada.client.api.v2.users.me.delete({ password: PASSWORD });
    await it.t.deps.jobs.runAll();
    expect(short(await listener.next())).toEqual([5, 'deleted', 1, 1, null]);
    const bob = await it.t.signUp('bob');
    await bob.client.api.v2.items.post({ title: 'd' });
    expect(short(await listener.next())).toEqual([6, 'created', 4, 1, 'd']);
  });

  test('receives nothing about changes that were rolled back', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    const refused = it.t.deps.db.write(async (tx) => {
      await tx.orm.run(
        `insert into item_events values (1, 'created', 1, 1, 'all', 1, '2026-01-01T00:00:00.000Z')`,
      );
      throw new Error('rolled back');
    });
    await refused.catch(() => {});
    await it.items.post({ title: 'a' });
    expect(short(await listener.next())).toEqual([1, 'created', 1, 1, 'a']);
  });

  test('responds to HEAD without listening', async () => {
    await using it = await withAda();
    const answer = await it.t.request('HEAD', PATH);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(it.t.deps.itemEvents.listeners()).toBe(0);
  });

  test('ends when the client disconnects', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    expect(it.t.deps.itemEvents.listeners()).toBe(1);
    await listener.cancel();
    expect(it.t.deps.itemEvents.listeners()).toBe(0);
  });

  test('needs a valid token or none', async () => {
    await using it = await withAda();
    expect((await it.t.request('GET', PATH, { token: 'wrong' })).status).toBe(401);
    const body = { name: 'x', scopes: ['items:write' as const], password: PASSWORD };
    const { data } = await it.ada.client.api.v2.tokens.post(body);
    const token = data?.token ?? '';
    expect((await it.t.request('GET', PATH, { token })).status).toBe(403);
  });

  test('the typed client reads it as events', async () => {
    await using it = await withAda();
    const { data: stream } = await it.t.client.api.v2.items.events.get();
    if (!stream) throw new Error('no stream');
    await stream.next();
    await it.items.post({ title: 'a' });
    const { value } = await stream.next();
    if (value?.event !== 'created') throw new Error('another event');
    expect([value.id, value.data.item?.title]).toEqual([1, 'a']);
  });

  // proves: limits.event-streams
  test('is refused beyond the maximum number of listeners', async () => {
    await using it = await withAda({ config: { maxListeners: 1 } });
    const first = await listen(it.t);
    const refused = await it.t.request('GET', PATH);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    await first.cancel();
    expect((await it.t.request('GET', PATH)).status).toBe(200);
  });
});

describe('the audience of events', () => {
  const CHANGES = [
    ['created', { title: 'a' }],
    ['made private', { visibility: 'private' }],
    ['changed while private', { title: 'b' }],
    ['made public', { visibility: 'public' }],
  ] as const;

  test('follows an item that is public, private and public again, deleted and restored', async () => {
    await using it = await withAda();
    const others = [undefined, (await it.t.signUp('bob')).token];
    const admin = (await it.t.signUp('root', 'admin')).token;
    const own = await listen(it.t, it.ada.token);
    const foreign = await Promise.all([...others, admin].map((token) => listen(it.t, token)));
    const one = it.items({ item_id: 1 });
    const received: ReturnType<typeof short>[] = [];
    // One after another, because an event contains the state of the item when it is sent.
    const acts = [
      () => it.items.post(CHANGES[0][1]),
      ...CHANGES.slice(1).map(
        ([, patch]) =>
          () =>
            one.patch(patch),
      ),
      () => one.delete(),
      () => one.restore.post(),
    ];
    const firsts: ReturnType<typeof short>[] = [];
    for (const [n, act] of acts.entries()) {
      await act();
      received.push(short(await own.next()));
      // From here on each listener receives events at once.
      if (n === 0) for (const { next } of foreign) firsts.push(short(await next()));
    }
    expect(received.map((it) => it.slice(1))).toEqual([
      ['created', 1, 1, 'a'],
      ['updated', 1, 2, 'a'],
      ['updated', 1, 3, 'b'],
      ['updated', 1, 4, 'b'],
      ['deleted', 1, 5, null],
      ['created', 1, 6, 'b'],
    ]);
    for (const [n, listener] of foreign.entries()) {
      const others = [firsts[n] ?? [], ...(await listener.take(4)).map(short)];
      expect(others.map((it) => it.slice(1))).toEqual([
        ['created', 1, 1, 'a'],
        ['deleted', 1, 2, null],
        ['created', 1, 4, 'b'],
        ['deleted', 1, 5, null],
        ['created', 1, 6, 'b'],
      ]);
    }
  });

  // proves: input.hidden-items
  test('is only the owner for a private item', async () => {
    await using it = await withAda();
    const own = await listen(it.t, it.ada.token);
    const other = await listen(it.t, (await it.t.signUp('root', 'admin')).token);
    await it.items.post({ title: 'secret', visibility: 'private' });
    await it.items({ item_id: 1 }).patch({ title: 'still' });
    await it.items({ item_id: 1 }).delete();
    await it.items.post({ title: 'open' });
    expect((await own.take(4)).map((it) => it.event)).toEqual([
      'created',
      'updated',
      'deleted',
      'created',
    ]);
    expect(short(await other.next())).toEqual([4, 'created', 2, 1, 'open']);
  });

  test('never includes an item that became private in the same commit', async () => {
    await using it = await withAda();
    const own = await listen(it.t, it.ada.token);
    const other = await listen(it.t);
    const [created] = await Promise.all([
      // Without the key of the client, which has it wait for a look-up.
      it.t.json('POST', '/api/v2/items', { title: 'secret' }, it.ada.token),
      it.items({ item_id: 1 }).patch({ visibility: 'private' }),
    ]);
    expect(created.status).toBe(201);
    expect((await other.take(2)).map(short)).toEqual([
      [1, 'created', 1, 1, null],
      [3, 'deleted', 1, 2, null],
    ]);
    expect((await own.take(2)).map(short)).toEqual([
      [1, 'created', 1, 1, 'secret'],
      [2, 'updated', 1, 2, 'secret'],
    ]);
  });
});

describe('resuming', () => {
  test('sends all events after the id that the caller may receive, then live events', async () => {
    await using it = await withAda();
    for (const n of [1, 2, 3]) await it.items.post({ title: `a${n}` });
    await it.items({ item_id: 2 }).patch({ visibility: 'private' });
    const other = await listen(it.t, undefined, '1');
    const own = await listen(it.t, it.ada.token, '1');
    expect(other.opening).toEqual({ retry: '3000', id: '1' });
    await it.items.post({ title: 'live' });
    expect((await other.take(4)).map(short)).toEqual([
      [2, 'created', 2, 1, null],
      [3, 'created', 3, 1, 'a3'],
      [5, 'deleted', 2, 2, null],
      [6, 'created', 4, 1, 'live'],
    ]);
    expect((await own.take(4)).map(short)).toEqual([
      [2, 'created', 2, 1, 'a2'],
      [3, 'created', 3, 1, 'a3'],
      [4, 'updated', 2, 2, 'a2'],
      [6, 'created', 4, 1, 'live'],
    ]);
  });

  test('sends the current state of the item, if the caller may see it', async () => {
    await using it = await withAda();
    const one = it.items({ item_id: 1 });
    const first = async (token?: string) => (await listen(it.t, token, '0')).next().then(short);
    await it.items.post({ title: 'a' });
    expect(await first()).toEqual([1, 'created', 1, 1, 'a']);
    await one.patch({ title: 'b' });
    expect(await first()).toEqual([1, 'created', 1, 1, 'b']);
    await one.patch({ visibility: 'private' });
    expect(await first()).toEqual([1, 'created', 1, 1, null]);
    expect(await first(it.ada.token)).toEqual([1, 'created', 1, 1, 'b']);
    await one.delete();
    expect(await first(it.ada.token)).toEqual([1, 'created', 1, 1, null]);
  });

  test('also works with a query parameter; the header takes precedence', async () => {
    await using it = await withAda();
    for (const n of [1, 2, 3]) await it.items.post({ title: `a${n}` });
    const ask = async (headers: Record<string, string>) => {
      const answer = await it.t.request('GET', `${PATH}?last_event_id=2`, { headers });
      return (await readEvents(answer).next())?.id;
    };
    expect([await ask({}), await ask({ 'last-event-id': '1' })]).toEqual(['3', '2']);
  });

  test('from the last id sends only live events', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'a' });
    const listener = await listen(it.t, undefined, '1');
    await it.items.post({ title: 'b' });
    expect((await listener.next())?.id).toBe('2');
  });

  test('over many pages, while others write, misses and repeats nothing', async () => {
    await using it = await withAda();
    await Promise.all(Array.from({ length: 450 }, (_, n) => it.items.post({ title: `a${n}` })));
    const listener = await listen(it.t, undefined, '0');
    const writing = (async () => {
      for (let n = 0; n < 150; n++) await it.items.post({ title: `b${n}` });
    })();
    const received = await listener.take(600);
    await writing;
    expect(received.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 600 }, (_, n) => n + 1),
    );
  });

  test('sends more events than a client may leave unread, as fast as it reads', async () => {
    await using it = await withAda();
    const data = { text: 'x'.repeat(60_000) };
    for (let n = 0; n < 20; n++) await it.items.post({ title: `a${n}`, data });
    const listener = await listen(it.t, undefined, '0');
    expect((await listener.take(20)).map(({ id }) => Number(id))).toHaveLength(20);
    await it.items.post({ title: 'live' });
    expect((await listener.next())?.id).toBe('21');
  });

  test.each(['2', '-1', 'rubbish', '99999999999999999999'])(
    'from the id %p, which is none, says so and goes on',
    async (id) => {
      await using it = await withAda();
      await it.items.post({ title: 'a' });
      const listener = await listen(it.t, undefined, id);
      await it.items.post({ title: 'b' });
      const [first, second] = await listener.take(2);
      expect([first?.event, first?.id]).toEqual(['reset', '1']);
      expect(short(second)).toEqual([2, 'created', 2, 1, 'b']);
    },
  );

  test('from an empty id sends only live events', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'a' });
    const listener = await listen(it.t, undefined, '');
    await it.items.post({ title: 'b' });
    expect(short(await listener.next())).toEqual([2, 'created', 2, 1, 'b']);
  });

  test('is possible for 24 hours', async () => {
    let now = Date.parse('2026-01-01T00:00:00.000Z');
    await using it = await withAda({ now: () => new Date(now) });
    for (const n of [1, 2]) await it.items.post({ title: `a${n}` });
    now += 12 * 3_600_000;
    for (const n of [3, 4]) await it.items.post({ title: `a${n}` });
    now += 13 * 3_600_000;
    await it.t.deps.jobs.runAll();
    const resumed = async (id: string) => (await (await listen(it.t, undefined, id)).next())?.event;
    expect([await resumed('1'), await resumed('2')]).toEqual(['reset', 'created']);
    now += 30 * 3_600_000;
    await it.t.deps.jobs.runAll();
    expect([await resumed('2'), await resumed('3')]).toEqual(['reset', 'created']);
  });
});

describe('the most viewed items', () => {
  test('are sent when they change', async () => {
    await using it = await withAda();
    for (const n of [1, 2]) await it.items.post({ title: `a${n}` });
    const listener = await listen(it.t);
    await it.t.client.api.v1.items({ item_id: 2 }).get();
    const received = await listener.nextPopular();
    expect(received).toEqual({ event: 'popular', data: { item_ids: [2, 1] } });
  });
});
