import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { ADMIN, testApp } from '../../support.ts';

async function acts(t: Awaited<ReturnType<typeof testApp>>, user_id: number) {
  const { data } = await t.deps.auditLog.list(ADMIN, { user_id });
  return data.toReversed().map(({ action, actor_id, details }) => ({ action, actor_id, details }));
}

// proves: logs.audit-log-actor-action-target-origin-time-request, 16.3.3
test('every change of an account by an admin is recorded, and an update without changes is not', async () => {
  await using t = await testApp();
  const { adminUsers } = t.deps;
  const root = await t.signUp('root', 'admin');
  const made = { email: 'eve@example.com', username: 'eve', password: 'beets-and-barley' };
  const { id } = await adminUsers.create(root, made);
  await adminUsers.update(root, id, { username: 'Eve', email_verified: true });
  await adminUsers.update(root, id, { role: 'admin', is_active: false });
  await adminUsers.update(root, id, { role: 'admin', is_active: false, username: 'Eve' });
  await adminUsers.update(root, id, { is_active: true });
  await adminUsers.endSessions(root, id);
  await adminUsers.remove(root, id);
  const by = { actor_id: root.id };
  expect(await acts(t, id)).toEqual([
    { action: 'user.created', ...by, details: { role: 'user' } },
    { action: 'user.updated', ...by, details: { fields: ['username', 'email_verified'] } },
    { action: 'user.role_changed', ...by, details: { role: 'admin' } },
    { action: 'user.deactivated', ...by, details: {} },
    { action: 'user.activated', ...by, details: {} },
    { action: 'sessions.ended', ...by, details: { ended: 0 } },
    { action: 'user.deleted', ...by, details: {} },
  ]);
});

test('a refused change is not recorded', async () => {
  await using t = await testApp();
  const root = await t.signUp('root', 'admin');
  const before = await acts(t, root.id);
  await expect(t.deps.adminUsers.remove(root, root.id)).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(t.deps.adminUsers.update(root, root.id, { role: 'user' })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await acts(t, root.id)).toEqual(before);
});

test('verifying a verified address again does not change its time', async () => {
  await using t = await testApp();
  const root = await t.signUp('root', 'admin');
  const verified = () =>
    t.deps.db.client.query('SELECT email_verified_at FROM users').values()[0]?.[0];
  await t.deps.adminUsers.update(root, root.id, { email_verified: true });
  const first = verified();
  await t.deps.adminUsers.update(root, root.id, { email_verified: true });
  expect(first).toBeString();
  expect(verified()).toBe(first);
});

test('a search by prefix reads the two name indexes instead of every account', async () => {
  const statements: string[] = [];
  const { prepare } = Database.prototype;
  Database.prototype.prepare = function (this: Database, text: string, ...rest: []) {
    statements.push(text);
    return prepare.call(this, text, ...rest);
  } as typeof prepare;
  try {
    await using t = await testApp();
    await t.deps.adminUsers.list(ADMIN, { q: 'ad' });
    const queries = statements.filter(
      (text) => text.includes('"users"') && /_key|json_each/.test(text),
    );
    const details = queries.flatMap((text) => {
      const plan = t.deps.db.client.query(`EXPLAIN QUERY PLAN ${text}`).all() as {
        detail: string;
      }[];
      return plan.map(({ detail }) => detail);
    });
    expect(details.join()).toMatch(/users_username_key_unique.*users_email_key_unique/);
    expect(details.join()).not.toContain('SCAN users');
  } finally {
    Database.prototype.prepare = prepare;
  }
});
