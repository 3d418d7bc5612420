import { describe, expect, test } from 'bun:test';
import { queued, tokenIn } from '../smtp.ts';
import { atOnce, type TestApp, testApp } from '../support.ts';

const PASSWORD = 'beets-and-barley';
const OWNER = 'owner@example.com';

/** Spellings that are the address once case and compatible characters are folded. */
const SPELLINGS = [
  OWNER,
  'OWNER@Example.COM',
  'ｏｗｎｅｒ@example.com',
  'owner＠example.com',
  'owner﹫example.com',
  ' owner@example.com',
  'owner@exam\u200bple.com',
];

interface Way {
  name: string;
  /** Sets `username` on an account whose email is not OWNER. */
  set(t: TestApp, username: string): Promise<Response>;
}

const WAYS: Way[] = [
  {
    name: 'sign-up in v1',
    set: (t, username) =>
      t.json('POST', '/api/v1/users/', { email: 'eve@example.com', username, password: PASSWORD }),
  },
  {
    name: 'sign-up in v2',
    set: (t, username) =>
      t.json('POST', '/api/v2/auth/register', {
        email: 'eve@example.com',
        username,
        password: PASSWORD,
      }),
  },
  {
    name: 'an account that an admin makes',
    set: async (t, username) => {
      const { token } = await t.signUp('root', 'admin');
      const account = { email: 'eve@example.com', username, password: PASSWORD };
      return t.json('POST', '/api/v2/users', account, token);
    },
  },
  {
    name: 'a change of the own username',
    set: async (t, username) => {
      const { token } = await t.signUp('eve');
      return t.json('PATCH', '/api/v2/users/me', { username }, token);
    },
  },
  {
    name: 'a change by an admin',
    set: async (t, username) => {
      const { id } = await t.signUp('eve');
      const { token } = await t.signUp('root', 'admin');
      return t.json('PATCH', `/api/v2/users/${id}`, { username }, token);
    },
  },
];

function usernames(t: TestApp): string[] {
  return t.deps.db.client.query('SELECT username FROM users').values().flat() as string[];
}

describe.each(WAYS)('$name', ({ set }) => {
  // proves: input.username
  test.each(SPELLINGS)('refuses the address %p of another account as a username', async (name) => {
    await using t = await testApp();
    await t.deps.users.create({ email: OWNER, username: 'owner', password: PASSWORD });
    const answer = await set(t, name);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(await answer.json())).toContain('username');
    expect(usernames(t)).not.toContain(name);
  });

  test('refuses an unused address with the same response', async () => {
    await using t = await testApp();
    expect((await set(t, OWNER)).status).toBe(422);
    const made = t.deps.users.create({ email: OWNER, username: 'owner', password: PASSWORD });
    expect((await made).email).toBe(OWNER);
  });
});

test('the own address may be the username, in any case', async () => {
  await using t = await testApp();
  const account = { email: OWNER, username: 'Owner@Example.com', password: PASSWORD };
  expect((await t.json('POST', '/api/v1/users/', account)).status).toBe(200);
  const login = { login: 'OWNER@example.com', password: PASSWORD };
  expect((await t.json('POST', '/api/v2/auth/login', login)).status).toBe(200);
});

test('sign-ups at the same time never leave a username that is the address of another', async () => {
  await using t = await testApp();
  const answers = await atOnce(20, (index) =>
    index % 2
      ? t.deps.users.create({ email: OWNER, username: `owner${index}`, password: PASSWORD })
      : t.deps.users.create({
          email: `e${index}@example.com`,
          username: OWNER,
          password: PASSWORD,
        }),
  );
  const made = answers.flatMap((it) => (it.status === 'fulfilled' ? it.value.email : []));
  expect(made).toEqual([OWNER]);
});

// proves: input.username
test('the database itself refuses such a row', async () => {
  await using t = await testApp();
  await t.deps.users.create({ email: 'eve@example.com', username: 'eve', password: PASSWORD });
  const { client } = t.deps.db;
  const set = (columns: string) => () => client.run(`UPDATE users SET ${columns}`);
  expect(set("username_key = 'owner@example.com'")).toThrow('address of another');
  expect(set("username_key = 'eve@example.com'")).not.toThrow();
  expect(set("email_key = 'owner@example.com'")).toThrow('address of another');
});

describe('an account whose username is its address', () => {
  async function mailedToken(t: TestApp): Promise<string> {
    return tokenIn((await queued(t)).at(-1)?.text ?? '');
  }
  async function ownAddressAsName(t: TestApp) {
    const account = { email: OWNER, username: OWNER, password: PASSWORD };
    const made = await t.client.api.v2.auth.register.post(account);
    // Not the client itself: its proxies look like promises to await.
    return { client: t.clientFor(String((made.data as { token?: string } | null)?.token)) };
  }
  const wish = { new_email: 'new@example.com', password: PASSWORD };

  test('chooses another username before it changes its address', async () => {
    await using t = await testApp();
    const { me } = (await ownAddressAsName(t)).client.api.v2.users;
    expect((await me.email.post(wish)).error?.value).toMatchObject({ code: 'conflict' });
    await me.patch({ username: 'owner' });
    expect((await me.email.post(wish)).status).toBe(202);
    const proof = { token: await mailedToken(t), password: PASSWORD };
    expect((await t.client.api.v2.auth.email.confirm.post(proof)).status).toBe(204);
  });

  test('cannot use the old address as its username during the change', async () => {
    await using t = await testApp();
    const { me } = (await ownAddressAsName(t)).client.api.v2.users;
    await me.patch({ username: 'owner' });
    await me.email.post(wish);
    const proof = { token: await mailedToken(t), password: PASSWORD };
    await me.patch({ username: OWNER });
    const refused = await t.client.api.v2.auth.email.confirm.post(proof);
    expect(refused.error?.value).toMatchObject({ code: 'conflict' });
    expect(usernames(t)).toEqual([OWNER]);
  });
});

/** An account from before the rule. */
function insertOldRow(t: TestApp, username: string) {
  const { client } = t.deps.db;
  client.run('DROP TRIGGER users_username_insert');
  client.run(
    `INSERT INTO users (email, email_key, username, username_key, password_hash, is_active, role,
       created_at, updated_at)
     VALUES ('eve@example.com', 'eve@example.com', ?1, ?1, ?2, 1, 'user', '2026-01-01T00:00:00.000Z',
       '2026-01-01T00:00:00.000Z')`,
    [username, Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 })],
  );
}

describe('an older username that is an address', () => {
  // proves: input.username
  test('is not found by the address, because a login with an @ is an address', async () => {
    await using t = await testApp();
    insertOldRow(t, OWNER);
    expect(await t.deps.users.findByLogin(OWNER)).toBeUndefined();
    const owner = await t.deps.users.create({
      email: OWNER,
      username: 'owner',
      password: PASSWORD,
    });
    expect((await t.deps.users.findByLogin('Owner＠example.com'))?.id).toBe(owner.id);
  });

  test("does not prevent signing in by the account's own address", async () => {
    await using t = await testApp();
    insertOldRow(t, OWNER);
    const login = { login: 'eve@example.com', password: PASSWORD };
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(200);
  });
});
