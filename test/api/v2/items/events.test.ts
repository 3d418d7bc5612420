import { describe, expect, test } from 'bun:test';
import { readEvents } from '../../../events.ts';
import {
  NOBODY,
  openSession,
  PASSWORD,
  type TestApp,
  type TestAppOptions,
  testApp,
} from '../../../support.ts';

const PATH = '/api/v2/items/events';

async function withAda(options: TestAppOptions = {}) {
  const t = await testApp(options);
  const ada = await t.signUp('ada');
  return { t, ada, items: ada.client.api.v2.items, [Symbol.asyncDispose]: t[Symbol.asyncDispose] };
}

/** Listens, and waits until it does. */
async function listen(t: TestApp, token?: string, lastId?: string) {
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const answer = await t.request('GET', PATH, { ...(token && { token }), headers });
  const events = readEvents(answer);
  return { answer, ...events, opening: await events.block() };
}

/** What was told, in short. */
const short = ({ id, event, data }: { id?: string; event?: string; data?: object } = {}) => {
  const { item, item_id, version } = (data ?? {}) as Record<string, unknown>;
  const title = (item as { title: string } | null)?.title ?? null;
  return [Number(id), event, item_id, version, title];
};

describe('listening', () => {
  test('tells what is created, updated and deleted, with the item', async () => {
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

  test('is a stream that nobody keeps or holds back', async () => {
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

  test('tells of v1 what it tells of v2', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    await it.ada.client.api.v1.items.post({ title: 'a' });
    expect(short(await listener.next())).toEqual([1, 'created', 1, 1, 'a']);
  });

  test('tells that what was public is gone with its account, and of nothing else of it', async () => {
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

  test('tells nothing of what was rolled back', async () => {
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

  test('HEAD answers and does not listen', async () => {
    await using it = await withAda();
    const answer = await it.t.request('HEAD', PATH);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect(it.t.deps.itemEvents.listeners()).toBe(0);
  });

  test('ends with its reader', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    expect(it.t.deps.itemEvents.listeners()).toBe(1);
    await listener.cancel();
    expect(it.t.deps.itemEvents.listeners()).toBe(0);
  });

  test('needs a right token, or none', async () => {
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
  test('is refused beyond the most who may listen', async () => {
    await using it = await withAda({ config: { maxListeners: 1 } });
    const first = await listen(it.t);
    const refused = await it.t.request('GET', PATH);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    await first.cancel();
    expect((await it.t.request('GET', PATH)).status).toBe(200);
  });
});

describe('what is told to whom', () => {
  const CHANGES = [
    ['created', { title: 'a' }],
    ['made private', { visibility: 'private' }],
    ['changed while private', { title: 'b' }],
    ['made public', { visibility: 'public' }],
  ] as const;

  test('of an item that is public, private and public again, deleted and restored', async () => {
    await using it = await withAda();
    const others = [undefined, (await it.t.signUp('bob')).token];
    const admin = (await it.t.signUp('root', 'admin')).token;
    const own = await listen(it.t, it.ada.token);
    const foreign = await Promise.all([...others, admin].map((token) => listen(it.t, token)));
    const one = it.items({ item_id: 1 });
    const told: ReturnType<typeof short>[] = [];
    // One after another: what is shown is the item as it is when it is told.
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
      told.push(short(await own.next()));
      // From then on each of them is told at once.
      if (n === 0) for (const { next } of foreign) firsts.push(short(await next()));
    }
    expect(told.map((it) => it.slice(1))).toEqual([
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
  test('of a private item nobody but its owner hears a thing', async () => {
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

  test('what became private in the same commit is shown to nobody else', async () => {
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
  test('tells all that the caller may see of what came after the id, then goes on', async () => {
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

  test('shows the item as it is at that moment, to each as he may see it', async () => {
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

  test('works by a query parameter too, and the header goes first', async () => {
    await using it = await withAda();
    for (const n of [1, 2, 3]) await it.items.post({ title: `a${n}` });
    const ask = async (headers: Record<string, string>) => {
      const answer = await it.t.request('GET', `${PATH}?last_event_id=2`, { headers });
      return (await readEvents(answer).next())?.id;
    };
    expect([await ask({}), await ask({ 'last-event-id': '1' })]).toEqual(['3', '2']);
  });

  test('from the last id tells what comes next alone', async () => {
    await using it = await withAda();
    await it.items.post({ title: 'a' });
    const listener = await listen(it.t, undefined, '1');
    await it.items.post({ title: 'b' });
    expect((await listener.next())?.id).toBe('2');
  });

  test('past many pages, while others write, leaves out and repeats nothing', async () => {
    await using it = await withAda();
    await Promise.all(Array.from({ length: 450 }, (_, n) => it.items.post({ title: `a${n}` })));
    const listener = await listen(it.t, undefined, '0');
    const writing = (async () => {
      for (let n = 0; n < 150; n++) await it.items.post({ title: `b${n}` });
    })();
    const told = await listener.take(600);
    await writing;
    expect(told.map(({ id }) => Number(id))).toEqual(Array.from({ length: 600 }, (_, n) => n + 1));
  });

  test('tells more than a reader may leave unread, as fast as it reads', async () => {
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

  test('from an empty id is listening from now on', async () => {
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

describe('what is popular', () => {
  test('is told when it changes', async () => {
    await using it = await withAda();
    for (const n of [1, 2]) await it.items.post({ title: `a${n}` });
    const listener = await listen(it.t);
    await it.t.client.api.v1.items({ item_id: 2 }).get();
    const told = await listener.nextPopular();
    expect(told).toEqual({ event: 'popular', data: { item_ids: [2, 1] } });
  });
});

describe('a listener', () => {
  type Ada = Awaited<ReturnType<typeof withAda>>;
  type Act = (it: Ada) => Promise<unknown>;
  /** As a process of its own, a command, does it. */
  const acts: [string, Act][] = [
    ['is signed out', async ({ t }) => t.deps.db.client.run('delete from sessions')],
    ['is deactivated', async ({ t }) => t.deps.db.client.run('update users set is_active = 0')],
    ['becomes an admin', async ({ t }) => t.deps.db.client.run(`update users set role = 'admin'`)],
  ];
  // proves: sessions.every-request-reads-the-account-so-a-deactivation
  test.each(acts)('who %s by another process is cut off at the next heartbeat', async (_, act) => {
    await using it = await withAda({ config: { heartbeatSeconds: 1 } });
    const anonymous = await listen(it.t);
    const { next, block } = await listen(it.t, it.ada.token);
    expect((await block())?.comment).toBe('');
    await act(it);
    expect(await next()).toBeUndefined();
    expect((await anonymous.block())?.comment).toBe('');
  });

  /** How ada ends her own access, with the session that listens. */
  const own: [string, Act][] = [
    ['signs out', ({ ada }) => ada.client.api.v2.auth.logout.post()],
    ['ends that session', ({ ada }) => ada.client.api.v2.auth.sessions({ session_id: 1 }).delete()],
    ['deletes the account', ({ ada }) => ada.client.api.v2.users.me.delete({ password: PASSWORD })],
  ];
  /** How others do, or ada by another session. */
  const foreign: [string, Act][] = [
    ['ends the others', async (it) => (await another(it)).api.v2.auth.sessions.delete()],
    [
      'changes the password',
      async (it) =>
        (await another(it)).api.v2.users.me.password.put({
          current_password: PASSWORD,
          new_password: 'another-straw-1',
        }),
    ],
    ['resets the password', ({ t, ada }) => reset(t, ada.email)],
    ['has its sessions ended by an admin', async ({ t }) => admin(t, '/1/sessions', 'DELETE')],
    ['is deactivated by an admin', async ({ t }) => admin(t, '/1', 'PATCH', { is_active: false })],
    ['becomes an admin', async ({ t }) => admin(t, '/1', 'PATCH', { role: 'admin' })],
    ['is deleted by an admin', async ({ t }) => admin(t, '/1', 'DELETE')],
  ];
  const another = async ({ t, ada }: Ada) => t.clientFor(await openSession(t.deps, ada));
  const admin = async (t: TestApp, path: string, method: string, body?: object) => {
    const { token } = await t.signUp('root', 'admin');
    const answer = await t.request(method, `/api/v2/users${path}`, {
      token,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    expect(answer.ok).toBe(true);
  };
  const reset = async ({ deps }: TestApp, login: string) => {
    await deps.passwordRecovery.request(NOBODY, login);
    await deps.passwordRecovery.idle();
    const [mail] = deps.db.client.query('select text from mails').all() as { text: string }[];
    const token = mail?.text.match(/token=([\w-]{43})/)?.[1] ?? '';
    await deps.passwordRecovery.reset(NOBODY, { token, new_password: 'another-straw-1' });
  };
  // proves: sessions.every-request-reads-the-account-so-a-deactivation
  test.each([...own, ...foreign])('who %s is cut off at once', async (_, act) => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const anonymous = await listen(it.t);
    const { next } = await listen(it.t, it.ada.token);
    await act(it);
    expect(await next()).toBeUndefined();
    expect(it.t.deps.itemEvents.listeners()).toBe(1);
    await anonymous.cancel();
  });

  test('whose token is deleted is cut off at once, and the one by the session is not', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const { tokens } = it.ada.client.api.v2;
    const { data } = await tokens.post({ password: PASSWORD, name: 'x', scopes: ['items:read'] });
    const session = await listen(it.t, it.ada.token);
    const { next } = await listen(it.t, data?.token);
    await tokens({ token_id: data?.id ?? 0 }).delete();
    expect(await next()).toBeUndefined();
    await it.items.post({ title: 'a' });
    expect((await session.next())?.event).toBe('created');
  });

  test('by another session than the one that ends goes on', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 3600 } });
    const other = await openSession(it.t.deps, it.ada);
    const listener = await listen(it.t, other);
    await it.ada.client.api.v2.auth.logout.post();
    await it.t.clientFor(other).api.v2.items.post({ title: 'a' });
    expect((await listener.next())?.event).toBe('created');
  });

  test('who may see nothing of what happens is not told that something did', async () => {
    await using it = await withAda({ config: { heartbeatSeconds: 1 } });
    const { block } = await listen(it.t);
    await it.items.post({ title: 'a', visibility: 'private' });
    expect(await block()).toEqual({ comment: '' });
    expect((await listen(it.t)).opening).toEqual({ retry: '3000', id: '0' });
    expect((await listen(it.t, undefined, '1')).opening).toEqual({ retry: '3000', id: '0' });
    expect((await listen(it.t, it.ada.token)).opening).toEqual({ retry: '3000', id: '1' });
  });

  test('is ended when the server stops', async () => {
    await using it = await withAda();
    const listener = await listen(it.t);
    it.t.deps.itemEvents.stop();
    expect(await listener.next()).toBeUndefined();
    expect((await it.t.request('GET', PATH)).status).toBe(503);
  });
});
