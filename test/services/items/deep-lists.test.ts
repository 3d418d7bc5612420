import { describe, expect, test } from 'bun:test';
import { type TestApp, testApp } from '../../support.ts';

const AT = '2026-01-01T00:00:00.000Z';

/** Items over several segments of ids, some private, binned or gone. */
async function withItems() {
  const t = await testApp();
  const root = await t.signUp('root', 'admin');
  const bob = await t.signUp('bob');
  const { client } = t.deps.db;
  client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 15000)
     insert into items (owner_id, title, description, visibility, created_at, updated_at)
     select 1 + i % 2, 'a', '', iif(i % 7 = 0, 'private', 'public'), ?1, ?1 from n`,
    [AT],
  );
  client.run('update items set deleted_at = ? where id % 11 = 0', [AT]);
  client.run('delete from items where id % 13 = 0 or id between 5000 and 9500');
  client.run('update items set deleted_at = null where id % 22 = 0');
  client.run(`update items set visibility = 'public' where id % 14 = 0`);
  return { t, root, bob, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

const SKIPS = [0, 1, 3999, 4000, 4001, 4500, 6000, 7000, 8500, 10_000, 2 ** 31 - 1];

async function expectSlices(t: TestApp, condition: string): Promise<void> {
  const all = t.deps.db.client
    .query(
      `select id from items where visibility = 'public' and deleted_at is null and ${condition} order by id`,
    )
    .values()
    .map(([id]) => id);
  expect(all.length).toBeGreaterThan(4000);
  for (const skip of [...SKIPS, all.length - 3, all.length]) {
    const answer = await t.request('GET', `/api/v1/items/?skip=${skip}&limit=5`);
    const items = (await answer.json()) as { id: number }[];
    expect([skip, items.map(({ id }) => id)]).toEqual([
      skip,
      all.slice(skip, skip + 5) as number[],
    ]);
  }
}

describe('skip', () => {
  // proves: costly-work.lists-searches-counts
  test('skips the given number of items, wherever they are', async () => {
    await using it = await withItems();
    await expectSlices(it.t, 'true');
  });

  test('does not count items of an account that is being deleted', async () => {
    await using it = await withItems();
    it.t.deps.db.client.run('insert into account_removals values (?, ?)', [it.bob.id, AT]);
    await expectSlices(it.t, `owner_id <> ${it.bob.id}`);
  });

  test('skips the given number of accounts', async () => {
    await using t = await testApp();
    const root = await t.signUp('root', 'admin');
    t.deps.db.client.run(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 9000)
       insert into users (email, email_key, username, username_key, is_active, role, created_at, updated_at)
       select 'u' || i || '@a.example', 'u' || i || '@a.example', 'u0' || i, 'u0' || i, 1, 'user', ?1, ?1 from n`,
      [AT],
    );
    t.deps.db.client.run('delete from users where id between 4000 and 5000');
    const all = t.deps.db.client.query('select id from users order by id').values().flat();
    for (const skip of [...SKIPS, all.length - 3]) {
      const { data } = await root.client.api.v1.users.get({ query: { skip, limit: 5 } });
      expect([skip, data?.map(({ id }) => id)]).toEqual([
        skip,
        all.slice(skip, skip + 5) as number[],
      ]);
    }
  });
});

describe('a list of accounts', () => {
  test.each(['id', '-id', 'created_at', '-created_at', 'username', '-username'])(
    'sorted by %s shows each that passes once, however many share a time',
    async (sort) => {
      await using t = await testApp();
      const root = await t.signUp('root', 'admin');
      t.deps.db.client.run(
        `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)
         insert into users (email, email_key, username, username_key, is_active, role, created_at, updated_at)
         select 'u' || i || '@a.example', 'u' || i || '@a.example', 'u0' || i, 'u0' || i, i % 3 = 0, 'user',
           '2026-01-0' || (1 + i % 4) || 'T00:00:00.000Z', ?1 from n`,
        [AT],
      );
      const key = sort.replace('-', '').replace('username', 'username_key');
      const direction = sort.startsWith('-') ? 'desc' : 'asc';
      const wanted = t.deps.db.client
        .query(
          `select id from users where is_active = 0 order by ${key} ${direction}, id ${direction}`,
        )
        .values()
        .flat();
      for (const q of [undefined, 'u0']) {
        const ids: number[] = [];
        let cursor: string | undefined;
        do {
          const query = {
            sort,
            is_active: 'false',
            limit: 100,
            ...(q && { q }),
            ...(cursor && { cursor }),
          };
          const path = `/api/v2/users?${new URLSearchParams(query as never)}&count=exact`;
          const body = (await (await t.request('GET', path, { token: root.token })).json()) as {
            data: { id: number }[];
            page: { next_cursor: string | null };
            total: number;
          };
          ids.push(...body.data.map(({ id }) => id));
          cursor = body.page.next_cursor ?? undefined;
          expect(body.total).toBe(wanted.length);
        } while (cursor);
        expect(ids).toEqual(wanted as number[]);
      }
    },
  );
});

test('the audit log shows each entry that passes all filters once', async () => {
  await using t = await testApp();
  const root = await t.signUp('root', 'admin');
  t.deps.db.client.run(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000)
     insert into audit_log (at, actor_id, action, user_id, details)
     select ?1, i % 2, iif(i % 500 = 0, 'user.deleted', 'session.opened'), i % 3, '{}' from n`,
    [AT],
  );
  const wanted = t.deps.db.client
    .query(
      `select id from audit_log where action = 'user.deleted' and actor_id = 0 order by id desc`,
    )
    .values()
    .flat();
  expect(wanted.length).toBeGreaterThan(5);
  const ids: number[] = [];
  let cursor: string | undefined;
  do {
    const query = {
      action: 'user.deleted' as const,
      actor_id: 0,
      limit: 4,
      ...(cursor && { cursor }),
    };
    const answer = await t.deps.auditLog.list(root, query);
    ids.push(...answer.data.map(({ id }) => id));
    cursor = answer.page.next_cursor ?? undefined;
  } while (cursor);
  expect(ids).toEqual(wanted as number[]);
});
