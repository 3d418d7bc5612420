import { describe, expect, test } from 'bun:test';
import { atOnce, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const NEW = { email: 'eve@example.com', username: 'eve', password: 'beets-and-barley' };

/** Returns the usernames on all pages of a list. */
async function walk(t: TestApp, token: string, query: string): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const path = `/api/v2/users?${query}${cursor && `&cursor=${cursor}`}`;
    const answer = await t.request('GET', path, { token });
    expect(answer.status).toBe(200);
    const { data, page } = (await answer.json()) as {
      data: { username: string }[];
      page: { next_cursor: string | null };
    };
    names.push(...data.map(({ username }) => username));
    cursor = page.next_cursor;
  }
  return names;
}

async function people() {
  let ms = Date.parse('2026-11-22T16:00:00.000Z');
  const t = await testApp({ now: () => new Date(ms) });
  const root = await t.signUp('root', 'admin');
  // Two are created at the same time, so that only their ids differ.
  for (const [index, name] of ['Carol', 'ada', 'bob', 'Adam'].entries()) {
    if (index % 2 === 0) ms += 1000;
    await t.signUp(name);
  }
  return { t, root };
}

describe('the list of accounts', () => {
  test('is sorted across pages of any size', async () => {
    const { t, root } = await people();
    await using _ = t;
    const byId = ['root', 'Carol', 'ada', 'bob', 'Adam'];
    const byName = ['ada', 'Adam', 'bob', 'Carol', 'root'];
    for (const limit of [1, 2, 3, 100]) {
      const sorted = (sort: string) => walk(t, root.token, `sort=${sort}&limit=${limit}`);
      expect(await sorted('id')).toEqual(byId);
      expect(await sorted('-id')).toEqual(byId.toReversed());
      expect(await sorted('created_at')).toEqual(byId);
      expect(await sorted('-created_at')).toEqual(byId.toReversed());
      expect(await sorted('username')).toEqual(byName);
      expect(await sorted('-username')).toEqual(byName.toReversed());
    }
  });

  // proves: permissions.password-hash-token-hash-totp-secret-after-set, 8.2.3
  test('shows accounts without their hashes', async () => {
    const { t, root } = await people();
    await using _ = t;
    const { data } = await root.client.api.v2.users.get({ query: { limit: 1 } });
    expect(data?.data).toEqual([
      {
        id: 1,
        email: 'root@example.com',
        username: 'root',
        role: 'admin',
        is_active: true,
        email_verified: false,
        has_password: true,
        created_at: '2026-11-22T16:00:00.000Z',
        updated_at: '2026-11-22T16:00:00.000Z',
      },
    ]);
    expect(data?.page).toMatchObject({ has_more: true, limit: 1 });
    expect(data).not.toHaveProperty('total');
  });

  test('is filtered by role, activity, time and a prefix of the names', async () => {
    const { t, root } = await people();
    await using _ = t;
    await root.client.api.v2.users({ user_id: 3 }).patch({ is_active: false });
    const found = (query: string) => walk(t, root.token, `${query}&limit=2`);
    expect(await found('role=admin')).toEqual(['root']);
    expect(await found('is_active=false')).toEqual(['ada']);
    expect(await found('created_after=2026-11-22T16:00:01Z')).toEqual(['bob', 'Adam']);
    expect(await found('created_after=+2026-11-22t16:00:01z+')).toEqual(['bob', 'Adam']);
    expect(await found('created_before=2026-11-22T16:00:01Z')).toEqual(['root']);
    expect(await found('q=AD')).toEqual(['ada', 'Adam']);
    expect(await found('q=carol@example')).toEqual(['Carol']);
    expect(await found('q=AD&is_active=true&sort=-username')).toEqual(['Adam']);
  });

  // proves: 1.2.4
  test('treats patterns of LIKE as plain text', async () => {
    const { t, root } = await people();
    await using _ = t;
    await t.signUp('a_b%c');
    for (const q of ['%', '_', '%25da', 'a_a', '*', '[a]']) {
      expect(await walk(t, root.token, `q=${encodeURIComponent(q)}`)).toEqual([]);
    }
    expect(await walk(t, root.token, 'q=a_b%25')).toEqual(['a_b%c']);
  });

  test('counts the matching accounts on request', async () => {
    const { t, root } = await people();
    await using _ = t;
    const { data } = await root.client.api.v2.users.get({
      query: { q: 'ad', count: 'exact', limit: 1 },
    });
    expect(data).toMatchObject({ total: 2, data: [{ username: 'ada' }] });
  });

  test('refuses an unknown parameter, sort or cursor with 400', async () => {
    const { t, root } = await people();
    await using _ = t;
    const { data } = await root.client.api.v2.users.get({ query: { limit: 1 } });
    const cursor = data?.page.next_cursor;
    for (const [query, code] of [
      ['roles=admin', 'invalid_query'],
      ['__proto__=1', 'invalid_query'],
      ['role=admin&role=user', 'invalid_query'],
      ['sort=email', 'invalid_query'],
      ['cursor=nonsense', 'invalid_cursor'],
      [`cursor=${cursor}&sort=-id`, 'invalid_cursor'],
      [`cursor=${cursor}&role=user`, 'invalid_cursor'],
    ]) {
      const answer = await t.request('GET', `/api/v2/users?${query}`, { token: root.token });
      expect(`${query} ${answer.status}`).toBe(`${query} 400`);
      expect(await answer.json()).toMatchObject({ code });
    }
  });

  // proves: input.role-scope-sort-action, limits.entries-on-a-page-of-a-list
  test('refuses an invalid value with 422', async () => {
    const { t, root } = await people();
    await using _ = t;
    const wrong = [
      'limit=0',
      'limit=101',
      'role=god',
      'is_active=1',
      'q=',
      'created_after=1',
      'created_after=2026-02-31',
      'created_before=2027-02-29T00:00:00Z',
      'count=x',
    ];
    for (const query of wrong) {
      const answer = await t.request('GET', `/api/v2/users?${query}`, { token: root.token });
      expect(`${query} ${answer.status}`).toBe(`${query} 422`);
    }
  });
});

describe('an admin', () => {
  test('creates an account with a role', async () => {
    await using t = await testApp();
    const { client, token } = await t.signUp('root', 'admin');
    const answer = await t.json('POST', '/api/v2/users', { ...NEW, role: 'admin' }, token);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/api/v2/users/2');
    expect(await answer.json()).toMatchObject({ id: 2, role: 'admin', is_active: true });
    expect((await client.api.v2.users({ user_id: 2 }).get()).data?.username).toBe('eve');
    const again = await client.api.v2.users.post({ ...NEW, email: 'EVE@example.com' });
    expect(again.error?.value).toMatchObject({ code: 'email_taken', status: 409 });
    const weak = await client.api.v2.users.post({ ...NEW, password: PASSWORD });
    expect(weak.error?.value).toMatchObject({ code: 'weak_password' });
  });

  // proves: permissions.account-in-v2-username, permissions.role-is-active-email-verified
  test('changes only the fields that are sent', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    await t.signUp('ada');
    const one = client.api.v2.users({ user_id: 2 });
    expect((await one.patch({ username: 'Countess' })).data).toMatchObject({
      username: 'Countess',
      role: 'user',
      is_active: true,
      email_verified: false,
    });
    expect((await one.patch({ email_verified: true })).data?.email_verified).toBe(true);
    expect((await one.patch({ email_verified: false })).data?.email_verified).toBe(false);
    expect((await one.patch({ role: 'admin' })).data?.role).toBe('admin');
    expect((await one.patch({})).data).toMatchObject({ username: 'Countess', role: 'admin' });
  });

  // proves: 15.3.5
  test('gets the reason for a refused change', async () => {
    await using t = await testApp();
    const { client, token } = await t.signUp('root', 'admin');
    await t.signUp('ada');
    const one = client.api.v2.users({ user_id: 2 });
    expect((await one.patch({ username: 'ROOT' })).error?.value).toMatchObject({
      code: 'username_taken',
    });
    expect((await client.api.v2.users({ user_id: 9 }).patch({})).status).toBe(404);
    for (const body of [{ password: 'x' }, { role: null }, { is_active: 'yes' }, { role: 'god' }]) {
      expect((await t.json('PATCH', '/api/v2/users/2', body, token)).status).toBe(422);
    }
  });

  // proves: sessions.every-request-reads-the-account-so-a-deactivation
  test('who is demoted or deactivated is refused at the next request', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    const eve = await t.signUp('eve', 'admin');
    const one = client.api.v2.users({ user_id: eve.id });
    await one.patch({ role: 'user' });
    expect((await eve.client.api.v2.users.get()).status).toBe(403);
    await one.patch({ is_active: false });
    expect((await eve.client.api.v2.users.me.get()).status).toBe(401);
  });

  // proves: sessions.deactivated-deleted, 7.4.2
  test('ends the sessions of an account for good by deactivating it', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    const eve = await t.signUp('eve');
    const one = client.api.v2.users({ user_id: eve.id });
    await one.patch({ is_active: false });
    await one.patch({ is_active: true });
    expect((await eve.client.api.v2.users.me.get()).status).toBe(401);
    const again = await t.client.api.v2.auth.login.post({ login: 'eve', password: PASSWORD });
    expect(again.status).toBe(200);
  });

  // proves: sessions.an-admin-s-delete-users-id-sessions
  // proves: permissions.sessions-tokens-passkeys-identities, 7.4.5
  test('ends all sessions of an account', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    const ada = await t.signUp('ada');
    const { data } = await client.api.v2.users({ user_id: ada.id }).sessions.delete();
    expect(data).toEqual({ ended: 1 });
    expect((await ada.client.api.v2.users.me.get()).status).toBe(401);
    expect((await client.api.v2.users({ user_id: 9 }).sessions.delete()).status).toBe(404);
  });

  // proves: 7.4.2
  test('deletes an account with all of its data, also from the cache', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('root', 'admin');
    const ada = await t.signUp('ada');
    await ada.client.api.v1.items.post({ title: 'hers' });
    await ada.client.api.v2.tokens.post({ password: PASSWORD, name: 'a', scopes: ['items:read'] });
    expect((await client.api.v1.items.popular.get()).data).toHaveLength(1);
    expect((await client.api.v2.users({ user_id: ada.id }).delete()).status).toBe(204);
    expect((await client.api.v1.items.popular.get()).data).toEqual([]);
    for (const table of ['sessions', 'access_tokens']) {
      const left = t.deps.db.client.query(`SELECT * FROM ${table} WHERE user_id = ?`).all(ada.id);
      expect(left).toEqual([]);
    }
    expect((await client.api.v2.users({ user_id: ada.id }).delete()).status).toBe(404);
    expect((await ada.client.api.v2.users.me.get()).status).toBe(401);
  });
});

describe('the last active admin', () => {
  // proves: permissions.role-is-active-email-verified
  test('cannot be demoted, deactivated or deleted', async () => {
    await using t = await testApp();
    const { client, id } = await t.signUp('root', 'admin');
    const eve = await t.signUp('eve', 'admin');
    await client.api.v2.users({ user_id: eve.id }).patch({ is_active: false });
    const one = client.api.v2.users({ user_id: id });
    const answers = [
      await one.patch({ role: 'user' }),
      await one.patch({ is_active: false, username: 'other' }),
      await one.delete(),
    ];
    for (const { error } of answers) {
      expect(error?.value).toMatchObject({ status: 409, code: 'conflict' });
    }
    expect((await one.get()).data).toMatchObject({ role: 'admin', username: 'root' });
  });

  // proves: permissions.role-is-active-email-verified, 2.3.4
  test('remains when ten admins demote one another at once', async () => {
    await using t = await testApp();
    const admins: Awaited<ReturnType<TestApp['signUp']>>[] = [];
    for (let index = 0; index < 10; index++) admins.push(await t.signUp(`admin${index}`, 'admin'));
    await atOnce(10, async (index) => {
      const other = admins[(index + 1) % 10];
      await admins[index]?.client.api.v2.users({ user_id: other?.id ?? 0 }).patch({ role: 'user' });
    });
    const left = t.deps.db.client.query(`SELECT id FROM users WHERE role = 'admin'`).all();
    expect(left.length).toBeGreaterThanOrEqual(1);
  });
});

test('all of these routes are only for admins', async () => {
  await using t = await testApp();
  const { client } = await t.signUp('ada');
  const one = client.api.v2.users({ user_id: 1 });
  const answers = await Promise.all([
    client.api.v2.users.get(),
    client.api.v2.users.post(NEW),
    one.get(),
    one.patch({ role: 'admin' }),
    one.delete(),
    one.sessions.delete(),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
});
