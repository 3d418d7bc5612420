import { describe, expect, test } from 'bun:test';
import { atOnce, PASSWORD, testApp } from '../../support.ts';

const ada = { email: 'ada@example.com', username: 'ada', password: PASSWORD };

test('test_create_user', async () => {
  await using t = await testApp();
  const { data, status } = await t.client.api.v1.users.post({
    email: 'test@example.com',
    username: 'testuser',
    password: 'password123',
  });
  expect(status).toBe(200);
  expect(data?.email).toBe('test@example.com');
  expect(data?.username).toBe('testuser');
  expect(data).toHaveProperty('id');
});

describe('POST /users/', () => {
  // proves: 15.3.1
  test('returns the account and never its password or hash', async () => {
    await using t = await testApp({ now: () => new Date('2026-11-22T16:00:00.000Z') });
    const answer = await t.json('POST', '/api/v1/users/', ada);
    expect(await answer.json()).toEqual({
      id: 1,
      email: 'ada@example.com',
      username: 'ada',
      is_active: true,
      created_at: '2026-11-22T16:00:00.000Z',
    });
  });

  test('is also served without its trailing slash', async () => {
    await using t = await testApp();
    expect((await t.json('POST', '/api/v1/users', ada)).status).toBe(200);
  });

  test('email_taken ignores case', async () => {
    await using t = await testApp();
    await t.json('POST', '/api/v1/users/', ada);
    const answer = await t.json('POST', '/api/v1/users/', {
      ...ada,
      email: 'ADA@Example.com',
      username: 'other',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: 'Email already registered' });
  });

  test('username_taken ignores case', async () => {
    await using t = await testApp();
    await t.json('POST', '/api/v1/users/', ada);
    const answer = await t.json('POST', '/api/v1/users/', {
      ...ada,
      email: 'b@example.com',
      username: 'ADA',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ detail: 'Username already registered' });
  });

  test('of simultaneous sign-ups with one email exactly one wins', async () => {
    await using t = await testApp();
    const answers = await atOnce(10, (index) =>
      t.json('POST', '/api/v1/users/', { ...ada, username: `ada${index}` }),
    );
    const statuses = answers.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
    expect(statuses.toSorted()).toEqual([200, ...Array(9).fill(400)]);
  });

  // proves: 2.2.1, 6.2.1
  test('lists every problem as pydantic does and never the input', async () => {
    await using t = await testApp();
    const answer = await t.json('POST', '/api/v1/users/', {
      email: 'nobody',
      username: 'ab',
      password: 'secret7',
      is_active: 'maybe',
    });
    expect(answer.status).toBe(422);
    const text = await answer.text();
    expect(text).not.toContain('secret7');
    const { detail } = JSON.parse(text) as { detail: { type: string; loc: string[] }[] };
    expect(detail.map(({ type, loc }) => `${loc.join('.')} ${type}`).toSorted()).toEqual([
      'body.email value_error',
      'body.is_active bool_parsing',
      'body.password string_too_short',
      'body.username string_too_short',
    ]);
  });

  test('names missing fields', async () => {
    await using t = await testApp();
    const answer = await t.json('POST', '/api/v1/users/', { email: 'a@example.com' });
    const { detail } = (await answer.json()) as { detail: { type: string; loc: string[] }[] };
    expect(detail).toEqual([
      { type: 'missing', loc: ['body', 'username'], msg: 'Field required' },
      { type: 'missing', loc: ['body', 'password'], msg: 'Field required' },
    ] as never);
  });

  test('accepts a password of 128 characters and no longer one', async () => {
    await using t = await testApp();
    const signUp = async (length: number) =>
      t.json('POST', '/api/v1/users/', {
        ...ada,
        password: 'pass-word'.repeat(20).slice(0, length),
      });
    const tooLong = await signUp(129);
    expect(tooLong.status).toBe(422);
    expect(await tooLong.json()).toMatchObject({
      detail: [{ type: 'string_too_long', loc: ['body', 'password'] }],
    });
    expect((await signUp(128)).status).toBe(200);
  });

  // proves: permissions.role-is-active-email-verified, 15.3.3
  test('ignores unknown fields, a role among them', async () => {
    await using t = await testApp();
    await t.json('POST', '/api/v1/users/', { ...ada, role: 'admin', id: 77, password_hash: 'x' });
    const user = await t.deps.users.findByLogin('ada');
    expect(user).toMatchObject({ id: 1, role: 'user' });
  });

  test('the audit log names an admin who creates an account, but not a caller who signs up', async () => {
    const actors = async (registration: 'open' | 'closed') => {
      await using t = await testApp({ config: { registration } });
      const { token } = await t.signUp('root', 'admin');
      const body = { email: 'ada@example.com', username: 'ada', password: 'straw-bed-77' };
      await t.json('POST', '/api/v1/users/', body, token);
      return t.deps.db.client.query('select actor_id from audit_log where user_id = 2').values();
    };
    expect(await actors('closed')).toEqual([[1]]);
    expect(await actors('open')).toEqual([[null]]);
  });

  test('closed registration admits only admins', async () => {
    await using t = await testApp({ config: { registration: 'closed' } });
    const admin = await t.signUp('root', 'admin');
    const user = await t.signUp('bob');
    expect((await t.json('POST', '/api/v1/users/', ada)).status).toBe(401);
    expect((await t.json('POST', '/api/v1/users/', ada, user.token)).status).toBe(403);
    expect((await t.json('POST', '/api/v1/users/', ada, admin.token)).status).toBe(200);
  });
});

describe('GET /users/', () => {
  test('lists accounts by id for an admin', async () => {
    await using t = await testApp();
    const admin = await t.signUp('root', 'admin');
    await t.signUp('bob');
    await t.signUp('cleo');
    const { data } = await admin.client.api.v1.users.get({ query: { skip: 1, limit: 1 } });
    expect(data?.map(({ username }) => username)).toEqual(['bob']);
  });

  test('forbidden for others, unauthenticated without credentials', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('bob');
    const asBob = await client.api.v1.users.get();
    const asNobody = await t.client.api.v1.users.get();
    expect([asBob.status, asNobody.status]).toEqual([403, 401]);
  });

  // proves: 1.4.2, 15.3.5
  test('lists all problems of a window', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('root', 'admin');
    const answer = await t.request('GET', '/api/v1/users/?skip=-1&limit=101', { token });
    const { detail } = (await answer.json()) as { detail: { type: string; loc: string[] }[] };
    expect(detail.map(({ type, loc }) => [loc.join('.'), type])).toEqual([
      ['query.skip', 'greater_than_equal'],
      ['query.limit', 'less_than_equal'],
    ]);
  });

  test.each(['1e1', '0x10', '1%201', '1.0', 'Infinity', 'NaN', '', '１'])(
    // proves: input.integer-in-a-path-or-query
    'int_parsing for a limit of %p',
    async (limit) => {
      await using t = await testApp();
      const { token } = await t.signUp('root', 'admin');
      const answer = await t.request('GET', `/api/v1/users/?limit=${limit}`, { token });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ detail: [{ type: 'int_parsing' }] });
    },
  );
});

describe('GET /users/{user_id}', () => {
  // proves: permissions.account-in-v1
  test('returns an account to itself and to an admin', async () => {
    await using t = await testApp();
    const bob = await t.signUp('bob');
    const admin = await t.signUp('root', 'admin');
    const own = await bob.client.api.v1.users({ user_id: bob.id }).get();
    const asAdmin = await admin.client.api.v1.users({ user_id: bob.id }).get();
    expect(own.data?.username).toBe('bob');
    expect(asAdmin.data).toEqual(own.data);
  });

  // proves: permissions.account-in-v1
  test('forbidden to others, whether or not it exists', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const bob = await t.signUp('bob');
    const there = await t.request('GET', '/api/v1/users/1', { token: bob.token });
    const absent = await t.request('GET', '/api/v1/users/99', { token: bob.token });
    expect([there.status, absent.status]).toEqual([403, 403]);
    expect(await there.text()).toBe(await absent.text());
  });

  test('not_found for an admin who requests a missing account', async () => {
    await using t = await testApp();
    const admin = await t.signUp('root', 'admin');
    const { status, error } = await admin.client.api.v1.users({ user_id: 99 }).get();
    expect(status).toBe(404);
    expect(error?.value).toEqual({ detail: 'User not found' });
  });
});
