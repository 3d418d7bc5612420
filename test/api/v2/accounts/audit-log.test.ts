import { describe, expect, test } from 'bun:test';
import { Secret, TOTP } from 'otpauth';
import { createAuthenticator } from '../../../passkeys.ts';
import { PASSWORD, testApp } from '../../../support.ts';

/** An admin and two users who signed up a second apart. */
async function someEntries() {
  let ms = Date.parse('2026-11-22T16:00:00.000Z');
  const t = await testApp({ now: () => new Date(ms) });
  const root = await t.signUp('root', 'admin');
  for (const name of ['ada', 'bob']) {
    ms += 1000;
    await t.signUp(name);
  }
  return { t, root, list: root.client.api.v2['audit-log'] };
}

describe('the audit log', () => {
  // proves: 16.3.1
  test('lists all actions for an admin, newest first', async () => {
    const { t, list } = await someEntries();
    await using _ = t;
    const { data } = await list.get();
    expect(data?.data.map(({ action, user_id }) => `${action} ${user_id}`)).toEqual([
      'session.opened 3',
      'user.created 3',
      'session.opened 2',
      'user.created 2',
      'session.opened 1',
      'user.created 1',
    ]);
    expect(data?.data[1]).toMatchObject({ actor_id: null, details: { role: 'user' } });
    expect(data?.page).toEqual({ next_cursor: null, has_more: false, limit: 50 });
  });

  // proves: logs.audit-log-actor-action-target-origin-time-request, 16.3.1
  test('records every action of an account on itself with that account as the actor', async () => {
    const publicUrl = 'http://localhost';
    await using t = await testApp({ config: { publicUrl } });
    const { id, client } = await t.signUp('ada');
    const { auth, tokens, users } = client.api.v2;
    const proof = { password: PASSWORD };
    const login = (more: object) =>
      t.client.api.v2.auth.login.post({ login: 'ada', ...proof, ...more });

    await auth.verification.post();
    const token = await tokens.post({ ...proof, name: 'x', scopes: ['items:read'] });
    await tokens({ token_id: token.data?.id ?? 0 }).delete();
    const begun = await auth.passkeys.options.post(proof);
    const response = createAuthenticator(publicUrl).create(begun.data?.options);
    const made = { flow: begun.data?.flow ?? '', name: 'laptop', response };
    const passkey = await auth.passkeys.post(made);
    await auth.passkeys({ passkey_id: passkey.data?.id ?? 0 }).delete();
    const { data: setUp } = await auth.totp.post(proof);
    const totp = new TOTP({ secret: Secret.fromBase32(setUp?.secret ?? '') });
    await auth.totp.confirm.post({ code: totp.generate() });
    const codes = await auth['recovery-codes'].post(proof);
    await login({ password: 'not-the-password' });
    await login({ code: codes.data?.recovery_codes[0] });
    await auth.totp.delete(proof);
    await users.me.export.get();
    await users.me.patch({ username: 'ada-2' });
    await auth.sessions.delete();
    await auth.logout.post();

    const entries = t.deps.db.client
      .query('select action, actor_id, user_id from audit_log order by id')
      .values();
    const own = (action: string) => [action, id, id];
    expect(entries).toEqual([
      ['user.created', null, id],
      own('session.opened'),
      own('email.verify_asked'),
      own('token.created'),
      own('token.deleted'),
      own('passkey.added'),
      own('passkey.removed'),
      own('totp.enabled'),
      own('recovery_codes.made'),
      own('recovery_codes.made'),
      ['session.refused', null, id],
      own('recovery_code.used'),
      own('session.opened'),
      own('totp.disabled'),
      own('data.exported'),
      own('user.updated'),
      own('sessions.ended'),
      own('session.ended'),
    ]);
  });

  // proves: logs.audit-log-actor-action-target-origin-time-request, 16.2.1
  test('records the actor, the affected account and the request', async () => {
    const { t, root, list } = await someEntries();
    await using _ = t;
    const answer = await t.json('PATCH', '/api/v2/users/2', { is_active: false }, root.token);
    const { data } = await list.get({ query: { limit: 1 } });
    expect(data?.data[0]).toMatchObject({
      action: 'user.deactivated',
      actor_id: root.id,
      user_id: 2,
      request_id: answer.headers.get('x-request-id'),
    });
  });

  test('lists every entry once across pages', async () => {
    const { t, list } = await someEntries();
    await using _ = t;
    const ids: number[] = [];
    let cursor: string | undefined;
    do {
      const { data } = await list.get({ query: { limit: 4, ...(cursor && { cursor }) } });
      ids.push(...(data?.data.map(({ id }) => id) ?? []));
      cursor = data?.page.next_cursor ?? undefined;
    } while (cursor);
    expect(ids).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test('is filtered by actor, account, action and time', async () => {
    const { t, list } = await someEntries();
    await using _ = t;
    const ids = async (query: Parameters<typeof list.get>[0]) =>
      (await list.get(query)).data?.data.map(({ id }) => id);
    expect(await ids({ query: { actor_id: 2 } })).toEqual([4]);
    expect(await ids({ query: { user_id: 2 } })).toEqual([4, 3]);
    expect(await ids({ query: { action: 'user.created' } })).toEqual([5, 3, 1]);
    const from = '2026-11-22T16:00:01Z';
    const until = '2026-11-22T18:00:02+02:00';
    expect(await ids({ query: { from, until } })).toEqual([4, 3]);
  });

  // proves: 2.2.3
  test('refuses a cursor of another filter, an invalid one and an unknown parameter', async () => {
    const { t, root, list } = await someEntries();
    await using _ = t;
    const { data } = await list.get({ query: { limit: 1 } });
    const cursor = data?.page.next_cursor ?? '';
    for (const query of [
      `action=x&cursor=${cursor}`,
      'cursor=nonsense',
      'actor=1',
      'limit=1&limit=2',
    ]) {
      const answer = await t.request('GET', `/api/v2/audit-log?${query}`, { token: root.token });
      expect(`${query} ${answer.status}`).toBe(`${query} 400`);
    }
  });

  // proves: input.time
  test('refuses an invalid time with 422', async () => {
    const { t, root } = await someEntries();
    await using _ = t;
    const none = ['yesterday!', '2026-13-01T00:00:00Z', '2026-11-22T16:00:00', '2026-02-31'];
    for (const from of none) {
      const answer = await t.request('GET', `/api/v2/audit-log?from=${from}`, {
        token: root.token,
      });
      expect(answer.status).toBe(422);
    }
  });

  // proves: permissions.audit-log, 16.4.2
  test('is only for admins and for their tokens with the scope', async () => {
    const { t, root } = await someEntries();
    await using _ = t;
    const bob = await t.signUp('carol');
    const status = async (token: string) =>
      (await t.request('GET', '/api/v2/audit-log', { token })).status;
    expect(await status(bob.token)).toBe(403);
    const { data } = await root.client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'a',
      scopes: ['admin'],
    });
    expect(await status(data?.token ?? '')).toBe(200);
  });

  // proves: permissions.audit-log, logs.audit-log-actor-action-target-origin-time-request, 16.4.2
  test('cannot be changed or shortened, because SQLite refuses', async () => {
    const { t } = await someEntries();
    await using _ = t;
    const { client } = t.deps.db;
    for (const statement of [
      `UPDATE audit_log SET actor_id = 7`,
      `UPDATE audit_log SET at = at WHERE id = 1`,
      `DELETE FROM audit_log`,
      `DELETE FROM audit_log WHERE id = 1`,
    ]) {
      expect(() => client.run(statement)).toThrow('append-only');
    }
    expect(client.query('SELECT count(*) AS n FROM audit_log').get()).toEqual({ n: 6 });
  });

  // proves: costly-work.audit-log
  test('reads only one page of the log for every indexed filter', async () => {
    const { t } = await someEntries();
    await using _ = t;
    const plan = (where: string) =>
      JSON.stringify(
        t.deps.db.client
          .query(
            `EXPLAIN QUERY PLAN SELECT * FROM audit_log WHERE ${where} AND id < 9 ORDER BY id DESC LIMIT 3`,
          )
          .all(),
      );
    for (const where of ['user_id = 1', 'actor_id = 1', `action = 'x'`]) {
      expect(plan(where)).toContain('SEARCH');
      expect(plan(where)).not.toContain('TEMP B-TREE');
    }
  });
});
