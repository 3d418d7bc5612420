import { describe, expect, test } from 'bun:test';
import { EXPORTED, NOT_EXPORTED } from '../../../../src/services/accounts/export.ts';
import { PASSWORD, testApp } from '../../../support.ts';

const NEXT = 'beets-and-barley';

describe('/users/me', () => {
  // proves: permissions.password-hash-token-hash-totp-secret-after-set, 15.3.1
  test('never shows a hash', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const text = await (await t.request('GET', '/api/v2/users/me', { token })).text();
    expect(text).not.toContain('argon2');
    expect(text).not.toContain('_key');
  });

  // proves: permissions.account-in-v2-username
  test('changes the username, and refuses a taken one with 409', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    await t.signUp('bob');
    expect((await client.api.v2.users.me.patch({ username: 'Ada L' })).data?.username).toBe(
      'Ada L',
    );
    expect((await client.api.v2.users.me.patch({ username: 'BOB' })).status).toBe(409);
  });

  // proves: sessions.password-changed, 6.2.2, 6.2.3, 7.4.3, 7.5.1
  test('a password change needs the current password and ends the other sessions', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const login = { login: 'ada', password: PASSWORD };
    const other = (await t.client.api.v2.auth.login.post(login)).data?.token;
    const change = (current_password: string) =>
      client.api.v2.users.me.password.put({ current_password, new_password: NEXT });
    expect((await change('wrong-one')).status).toBe(401);
    expect((await change(PASSWORD)).status).toBe(204);
    expect((await client.api.v2.users.me.get()).status).toBe(200);
    expect((await t.clientFor(other).api.v2.users.me.get()).status).toBe(401);
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(401);
    const next = { login: 'ada', password: NEXT };
    expect((await t.client.api.v2.auth.login.post(next)).status).toBe(200);
  });

  // proves: data.personal-account, 14.2.4
  test('a deletion needs the password and leaves no orphans', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await ada.client.api.v1.items.post({ title: 'a' });
    await ada.client.api.v2.tokens.post({ password: PASSWORD, name: 'x', scopes: ['items:read'] });
    expect((await ada.client.api.v2.users.me.delete({ password: 'wrong-one' })).status).toBe(401);
    expect((await ada.client.api.v2.users.me.delete({ password: PASSWORD })).status).toBe(204);
    expect((await ada.client.api.v2.users.me.get()).status).toBe(401);
    await t.deps.jobs.runAll();
    for (const table of ['users', 'items', 'sessions', 'access_tokens']) {
      expect(t.deps.db.client.query(`select * from ${table}`).all()).toEqual([]);
    }
    const actions = t.deps.db.client.query('select action from audit_log order by id').values();
    expect(actions.at(-1)).toEqual(['user.deleted']);
  });

  test('the last active admin cannot be deleted', async () => {
    await using t = await testApp();
    const root = await t.signUp('root', 'admin');
    expect((await root.client.api.v2.users.me.delete({ password: PASSWORD })).status).toBe(409);
    await t.signUp('other', 'admin');
    expect((await root.client.api.v2.users.me.delete({ password: PASSWORD })).status).toBe(204);
  });

  // proves: permissions.password-hash-token-hash-totp-secret-after-set, data.personal-account
  // proves: 15.3.1
  test('the export contains all stored data and no secret', async () => {
    await using t = await testApp();
    const { token, client } = await t.signUp('ada');
    await client.api.v1.items.post({ title: 'A warm hutch' });
    const made = await client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'script',
      scopes: ['items:read'],
    });
    const text = await (await t.request('GET', '/api/v2/users/me/export', { token })).text();
    const data = JSON.parse(text);
    expect(data.account.username).toBe('ada');
    expect(data.items).toHaveLength(1);
    expect(data.sessions).toHaveLength(1);
    expect([data.identities, data.passkeys]).toEqual([[], []]);
    expect(data.tokens[0].name).toBe('script');
    expect(data.audit_log.length).toBeGreaterThan(1);
    for (const secret of [token, made.data?.token ?? '', 'argon2', 'hash']) {
      expect(text).not.toContain(secret);
    }
  });

  test('the export contains tags and data as JSON, and every revision of an item', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const fields = { tags: ['wood'], data: { size: 3 } };
    await client.api.v2.items.post({ title: 'A hutch', ...fields });
    for (let size = 4; size < 50; size++) {
      await client.api.v2.items({ item_id: 1 }).patch({ tags: [`t${size}`], data: { size } });
    }
    const { data } = await client.api.v2.users.me.export.get();
    expect(data?.items[0]).toMatchObject({ tags: ['t49'], data: { size: 49 } });
    expect(data?.revisions).toHaveLength(46);
    expect(data?.revisions[0]).toMatchObject({ item_id: 1, version: 2, before: fields });
    expect(data?.revisions[45]).toMatchObject({ version: 47, before: { data: { size: 48 } } });
    expect(data?.usage).toMatchObject({ items: 1 });
    expect(data?.authenticator).toBeNull();
  });

  test('the export contains no revisions of other accounts', async () => {
    await using t = await testApp();
    const [ada, bob] = [await t.signUp('ada'), await t.signUp('bob')];
    await ada.client.api.v2.items.post({ title: 'A hutch' });
    await ada.client.api.v2.items({ item_id: 1 }).patch({ title: 'A warm hutch' });
    expect((await bob.client.api.v2.users.me.export.get()).data?.revisions).toEqual([]);
  });

  test('every table with rows of accounts is exported, or omitted for a reason', async () => {
    await using t = await testApp();
    const tables = t.deps.db.client
      .query(
        `select distinct m.name as name from sqlite_schema as m where m.type = 'table' and (
           exists (select 1 from pragma_foreign_key_list(m.name) where "table" = 'users')
           or exists (select 1 from pragma_table_info(m.name)
             where name in ('user_id', 'owner_id', 'actor_id', 'viewer_id', 'account_id')))`,
      )
      .all() as { name: string }[];
    expect(tables.length).toBeGreaterThan(10);
    const known = new Set([...EXPORTED, ...Object.keys(NOT_EXPORTED)]);
    const missing = tables.filter(({ name }) => !known.has(name)).map(({ name }) => name);
    // Add a missing table to EXPORTED or NOT_EXPORTED of src/services/accounts/export.ts.
    expect(missing).toEqual([]);
  });

  test('the export contains every row of many pages once', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const titles = Array.from({ length: 47 }, (_, index) => `Item ${index}`);
    for (const title of titles) await client.api.v2.items.post({ title });
    for (let entry = 0; entry < 45; entry++) {
      await client.api.v2.users.me.patch({ username: `ada-${entry}` });
    }
    const { data } = await client.api.v2.users.me.export.get();
    expect(data?.items.map((it) => it['title'])).toEqual(titles);
    const renamed = data?.audit_log.filter((it) => it['action'] === 'user.updated');
    expect(renamed).toHaveLength(45);
  });

  // proves: costly-work.exports-including-that-of-an-account
  test('the export reads one page at a time of the rows that existed when it began', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const add = (title: string) => ada.client.api.v2.items.post({ title });
    for (let count = 0; count < 30; count++) await add('early');
    const parts = await t.deps.accountExport.begin(ada);
    let text = '';
    while (!text.includes('early')) text += (await parts.next()).value?.text;
    await add('late');
    await ada.client.api.v2.items({ item_id: 30 }).patch({ title: 'changed' });
    for await (const part of parts) text += part.text;
    const titles = JSON.parse(text).items.map((it: { title: string }) => it.title);
    expect(titles).toEqual([...Array(29).fill('early'), 'changed']);
  });

  // proves: permissions.audit-log, 8.2.3
  test('the export omits the address of an admin', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    t.deps.db.client.run(`insert into audit_log (at, action, actor_id, user_id, address, request_id, details)
      values ('2026-11-22T16:00:00.000Z', 'user.activated', 99, 1, '203.0.113.7', 'a-request', '{}'),
             ('2026-11-22T16:00:01.000Z', 'session.refused', null, 1, '203.0.113.8', 'b-request', '{}')`);
    const { data } = await client.api.v2.users.me.export.get();
    const entryOf = (action: string) => data?.audit_log.find((it) => it['action'] === action);
    expect(entryOf('user.activated')).toMatchObject({ address: null, request_id: null });
    // The owner may see who tried to sign in.
    expect(entryOf('session.refused')).toMatchObject({ address: '203.0.113.8' });
  });
});
