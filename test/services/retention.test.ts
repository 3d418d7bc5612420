import { describe, expect, test } from 'bun:test';
import { PASSWORD, type TestApp, testApp } from '../support.ts';

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

/** Inserts rows that are `days` old, the oldest first. */
function insertAges(t: TestApp, days: number[], insert: (at: string) => string): void {
  const { client } = t.deps.db;
  client.transaction(() => {
    for (const age of days.toSorted((a, b) => b - a)) client.run(insert(daysAgo(age)));
  })();
}

const countOf = (t: TestApp, table: string) =>
  t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0] as number;

describe('the audit log', () => {
  // proves: data.audit-log, logs.audit-log-actor-action-target-origin-time-request
  test('is retained as long as the setting says, and for 30 days even against other deletions', async () => {
    await using t = await testApp({ config: { auditDays: 40 } });
    const ages = [...Array(600).fill(50), 41, 39, 31, 29, 1];
    insertAges(
      t,
      ages,
      (at) => `insert into audit_log (at, action, details) values ('${at}', 'x', '{}')`,
    );
    await t.deps.jobs.runAll();
    expect(countOf(t, 'audit_log')).toBe(4);
    const { client } = t.deps.db;
    expect(() => client.run('delete from audit_log')).toThrow('append-only');
    client.run(`delete from audit_log where at < '${daysAgo(30)}'`);
    expect(countOf(t, 'audit_log')).toBe(2);
  });

  // proves: limits.audited-actions-of-an-account-on-itself-in
  test('limits the repeatable acts of an account per day, but not those that protect it', async () => {
    let now = new Date('2026-01-01T00:00:00.000Z');
    await using t = await testApp({ config: { quotaAuditEntries: 5 }, now: () => now });
    const { client, id } = await t.signUp('ada');
    const me = client.api.v2.users.me;
    const statuses = [];
    for (let n = 0; n < 6; n++) statuses.push((await me.patch({ username: `ada-${n}` })).status);
    // Opening the session was the first act.
    expect(statuses).toEqual([200, 200, 200, 200, 403, 403]);
    const refused = await client.api.v2.users.me.export.get();
    expect(refused.error?.value).toMatchObject({
      code: 'quota_exceeded',
      quota: { name: 'audit_entries', limit: 5, used: 5 },
    });
    expect((await client.api.v2.auth.sessions.delete()).status).toBe(200);
    const root = await t.signUp('root', 'admin');
    expect(
      (await root.client.api.v2.users({ user_id: id }).patch({ username: 'b-b' })).status,
    ).toBe(200);
    now = new Date(now.getTime() + DAY_MS + 1);
    expect((await me.patch({ username: 'ada' })).status).toBe(200);
  });
});

describe('mails', () => {
  const mail = (state: string) => (at: string) =>
    `insert into jobs (name, state, payload, attempts, due_at, created_at)
     values ('mail', '${state}', '{}', 10, '${at}', '${at}')`;

  // proves: data.mails
  test('that failed for good 30 days ago are deleted, and pending ones are not', async () => {
    await using t = await testApp();
    insertAges(t, [...Array(300).fill(31), 29], mail('dead'));
    insertAges(t, [31], mail('waiting'));
    await t.deps.jobs.runAll();
    expect(countOf(t, 'jobs')).toBe(2);
  });

  // proves: limits.queued-mails
  test('are no longer queued when too many are pending, except for notices', async () => {
    await using t = await testApp();
    t.deps.db.client.run(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 10001)
      insert into jobs (name, state, payload, attempts, due_at, created_at)
      select 'mail', 'waiting', '{}', 0, '2999-01-01', '2026-01-01' from n`);
    const account = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };
    const refused = await t.client.api.v2.auth.register.post(account);
    expect([refused.status, refused.error?.value]).toMatchObject([503, { code: 'overloaded' }]);
    const { client } = await t.signUp('bob');
    const change = { current_password: 'password123', new_password: 'beets-and-barley' };
    expect((await client.api.v2.users.me.password.put(change)).status).toBe(204);
    expect(countOf(t, 'jobs')).toBe(10_002);
  });
});

// proves: data.sessions
test('expired sessions are deleted, and active ones are not', async () => {
  let now = new Date('2026-01-01T00:00:00.000Z');
  await using t = await testApp({ now: () => now });
  const { id } = await t.signUp('bob');
  t.deps.db.client.run(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 120)
    insert into sessions (user_id, token_hash, created_at, last_used_at, expires_at)
    select ${id}, i, '2026-01-01', '2026-01-01', '2026-01-31' from n`);
  now = new Date(now.getTime() + 31 * DAY_MS);
  await t.signUp('ada');
  await t.deps.jobs.runAll();
  expect(countOf(t, 'sessions')).toBe(1);
});

/** The number of rows after each repetition of `act`. */
async function countsAfter(t: TestApp, table: string, times: number, act: () => Promise<unknown>) {
  const counts: number[] = [];
  for (let n = 0; n < times; n++) {
    await act();
    counts.push(countOf(t, table));
  }
  return counts;
}

describe('an account that exceeded the limits before they existed', () => {
  test('loses up to 50 sessions at each sign-in, the least recently used ones first', async () => {
    await using t = await testApp({ config: { quotaSessions: 10 } });
    const { id, client } = await t.signUp('ada');
    insertAges(
      t,
      Array.from({ length: 120 }, (_, index) => index / 1000),
      (at) => `insert into sessions (user_id, token_hash, created_at, last_used_at, expires_at)
        values (${id}, 'hash ${at}', '${at}', '${at}', '2999-01-01')`,
    );
    const login = () => t.client.api.v2.auth.login.post({ login: 'ada', password: PASSWORD });
    expect(await countsAfter(t, 'sessions', 5, login)).toEqual([72, 23, 10, 10, 10]);
    expect((await client.api.v2.users.me.get()).status).toBe(200);
  });

  test('loses up to 20 expired tokens at each new one, the oldest first', async () => {
    await using t = await testApp();
    const { id, client } = await t.signUp('ada');
    insertAges(
      t,
      Array.from({ length: 70 }, (_, index) => index + 1),
      (at) => `insert into access_tokens
        (user_id, name, token_hash, prefix, scopes, created_at, expires_at)
        values (${id}, '${at}', 'hash ${at}', 'hut_', 'items:read', '${at}', '${at}')`,
    );
    const token = { password: PASSWORD, name: 'new', scopes: ['items:read' as const] };
    const make = () => client.api.v2.tokens.post(token);
    expect(await countsAfter(t, 'access_tokens', 5, make)).toEqual([51, 32, 23, 24, 25]);
    const { data } = await client.api.v2.tokens.get();
    const expired = data?.data.filter(({ name }) => name !== 'new').map(({ name }) => name);
    expect(expired).toEqual(expired?.toSorted().toReversed() as string[]);
    expect(Date.parse(expired?.at(-1) as string)).toBeGreaterThan(Date.now() - 21 * DAY_MS);
  });
});
