import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, hutch, serve } from '../hutch.ts';

const PASSWORD = 'beets-and-barley';

/** Starts a server with the accounts ada, bob and, as an admin, root. */
async function started() {
  const dir = tempDir();
  const server = await serve(dir, { env: ADMIN.env });
  const signUp = async (username: string) => {
    const account = { email: `${username}@example.com`, username, password: PASSWORD };
    const { data } = await server.clientFor().api.v2.auth.register.post(account);
    return String((data as { token?: string } | null)?.token);
  };
  const token = await signUp('ada');
  await signUp('bob');
  const users = (...args: string[]) => hutch(['users', ...args, '--data-dir', dir]);
  const signIn = (login: string, password: string) =>
    server.clientFor().api.v2.auth.login.post({ login, password });
  const isKnown = async (own: string) =>
    (await server.clientFor(own).api.v2.items.get({ query: {} })).status === 200;
  /** Returns the actions of the operator on an account, from the audit log. */
  const operatorActions = async (user_id: number) => {
    const admin = await server.signIn(ADMIN.username, ADMIN.password);
    const { data } = await server.clientFor(admin).api.v2['audit-log'].get({ query: { user_id } });
    const entries = data?.data ?? [];
    return entries.filter((it) => it.details['by'] === 'operator').map((it) => it.action);
  };
  const dispose = () => server[Symbol.asyncDispose]();
  return {
    dir,
    server,
    token,
    users,
    signIn,
    isKnown,
    operatorActions,
    [Symbol.asyncDispose]: dispose,
  };
}

const columns = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('users list', () => {
  test('prints accounts as a table, filtered, sorted and limited', async () => {
    await using it = await started();
    const all = await it.users('list');
    expect(columns(all.stdout).map((row) => row.slice(0, 6))).toEqual([
      ['ID', 'EMAIL', 'VERIFIED', 'USERNAME', 'ROLE', 'STATE'],
      ['1', 'root@example.com', 'no', 'root', 'admin', 'active'],
      ['2', 'ada@example.com', 'no', 'ada', 'user', 'active'],
      ['3', 'bob@example.com', 'no', 'bob', 'user', 'active'],
    ]);
    const flags = ['--role', 'user', '--sort', '-username', '--limit', '1'];
    const some = await it.users('list', ...flags);
    expect(columns(some.stdout).map((row) => row[3])).toEqual(['USERNAME', 'bob']);
    expect(some).toMatchObject({ stderr: 'There are more accounts: raise --limit.\n', status: 0 });
  }, 20_000);

  test('--json prints an array without hashes', async () => {
    await using it = await started();
    const { stdout } = await it.users(
      'list',
      '--search',
      'AD',
      '--created-before',
      '2999-01-01',
      '--json',
    );
    const accounts = JSON.parse(stdout) as object[];
    expect(accounts).toMatchObject([{ id: 2, email: 'ada@example.com', is_active: true }]);
    expect(stdout).not.toContain('argon2');
  }, 20_000);

  test('reads as many pages as the limit needs', async () => {
    const dir = tempDir();
    const file = join(dir, 'users.jsonl');
    const password_hash = Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 });
    const rows = Array.from({ length: 250 }, (_, index) =>
      JSON.stringify({ email: `u${index}@example.com`, password_hash }),
    );
    await Bun.write(file, rows.join('\n'));
    await hutch(['users', 'import', file, '--data-dir', dir]);
    const list = (...flags: string[]) => hutch(['users', 'list', '--data-dir', dir, ...flags]);
    expect(JSON.parse((await list('--json', '--limit', '1000')).stdout)).toHaveLength(250);
    expect(JSON.parse((await list('--json', '--limit', '201')).stdout)).toHaveLength(201);
    expect(JSON.parse((await list('--json')).stdout)).toHaveLength(50);
  }, 20_000);

  test('exits with 2 for an invalid value and explains it', async () => {
    const ends = await Promise.all([
      hutch(['users', 'list', '--limit', 'many']),
      hutch(['users', 'list', '--role', 'god']),
      hutch(['users', 'list', '--created-after', '2026-02-31']),
    ]);
    expect(ends.map(({ status, stderr }) => `${status} ${stderr.split('\n')[0]}`)).toEqual([
      "2 Option '--limit <count>' argument 'many' is invalid. It must be a whole number from 1 to 1000000.",
      "2 Option '--role <role>' argument 'god' is invalid. Allowed choices are user, admin.",
      "2 Option '--created-after <time>' argument '2026-02-31' is invalid. It must be an existing date, or a time of RFC 3339.",
    ]);
  }, 20_000);
});

describe('users show', () => {
  test('finds an account by id, email and username', async () => {
    await using it = await started();
    const found = await Promise.all(
      ['2', 'ADA@example.com', 'Ada'].map((name) => it.users('show', name, '--json')),
    );
    for (const { stdout } of found) {
      expect(JSON.parse(stdout)).toMatchObject({
        id: 2,
        username: 'ada',
        sessions: 1,
        tokens: 0,
        has_authenticator: false,
        providers: [],
        items: 0,
      });
    }
    const { stdout } = await it.users('show', 'ada');
    expect(stdout).toMatch(/^email +ada@example\.com$/m);
    expect(stdout).toMatch(/^email_verified +no$/m);
  }, 20_000);

  test('refuses a name that is the id of one account and the username of another', async () => {
    const dir = tempDir();
    const file = join(dir, 'users.jsonl');
    const password_hash = Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 });
    const rows = Array.from({ length: 101 }, (_, index) =>
      JSON.stringify({ email: `u${index}@example.com`, password_hash }),
    );
    const clash = JSON.stringify({ email: 'x@example.com', username: '101', password_hash });
    await Bun.write(file, [...rows, clash].join('\n'));
    await hutch(['users', 'import', file, '--data-dir', dir]);
    const show = (name: string) => hutch(['users', 'show', name, '--data-dir', dir]);
    expect(await show('101')).toMatchObject({
      stderr: 'hutch users show: 101 is an id and a username: use the email.\n',
      status: 1,
    });
    expect((await show('x@example.com')).status).toBe(0);
    expect((await show('nobody')).stderr).toBe('hutch users show: There is no account nobody.\n');
  }, 20_000);
});

describe('users disable and enable', () => {
  test('end sessions and tokens on a running server immediately, and allow sign-in again', async () => {
    await using it = await started();
    const own = { name: 'cli', scopes: ['items:read' as const], password: PASSWORD };
    const created = await it.server.clientFor(it.token).api.v2.tokens.post(own);
    const personal = String(created.data?.token);
    expect([await it.isKnown(it.token), await it.isKnown(personal)]).toEqual([true, true]);

    const disabled = await it.users('disable', 'ada@example.com');
    expect(disabled).toMatchObject({ stderr: '', status: 0 });
    expect(disabled.stdout).toContain('is now disabled');
    expect([await it.isKnown(it.token), await it.isKnown(personal)]).toEqual([false, false]);
    expect((await it.signIn('ada', PASSWORD)).status).not.toBe(200);
    expect((await it.users('disable', 'ada')).stdout).toContain('is already disabled.');

    expect((await it.users('enable', '2')).status).toBe(0);
    expect((await it.signIn('ada', PASSWORD)).status).toBe(200);
    expect([await it.isKnown(it.token), await it.isKnown(personal)]).toEqual([false, false]);
    expect((await it.operatorActions(2)).toSorted()).toEqual([
      'user.activated',
      'user.deactivated',
    ]);
  }, 30_000);

  test('disable ends the event streams of a running server', async () => {
    await using it = await started();
    const headers = { authorization: `Bearer ${it.token}` };
    const response = await fetch(`${it.server.url}/api/v2/items/events`, { headers });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await it.users('disable', 'ada');
    let last = await reader?.read();
    while (last && !last.done) last = await reader?.read();
    expect(last?.done).toBe(true);
  }, 12_000);

  test('do not change the last active admin', async () => {
    await using it = await started();
    expect(await it.users('disable', 'root')).toMatchObject({
      stderr: 'hutch users disable: This is the last active admin.\n',
      status: 1,
    });
  }, 20_000);
});

describe('users reset-password', () => {
  test('prints a link that sets a password once, and ends sessions', async () => {
    await using it = await started();
    const { stdout, status } = await it.users('reset-password', 'ada', '--port', '8080');
    expect(status).toBe(0);
    const [, token = ''] =
      stdout.match(/^Link: http:\/\/127\.0\.0\.1:8080\/reset#token=(\S+)$/m) ?? [];
    expect(await it.isKnown(it.token)).toBe(false);
    expect((await it.signIn('ada', PASSWORD)).status).toBe(200);
    const reset = () =>
      it.server
        .clientFor()
        .api.v2.auth.password.reset.post({ token, new_password: 'hay-and-oats-1' });
    expect((await reset()).status).toBe(204);
    expect((await reset()).status).toBe(400);
    expect((await it.signIn('ada', PASSWORD)).status).toBe(401);
    expect((await it.signIn('ada', 'hay-and-oats-1')).status).toBe(200);
    expect(await it.operatorActions(2)).toEqual(['password.reset_asked']);
  }, 20_000);

  test('--generate sets a password and prints it once', async () => {
    await using it = await started();
    const { stdout } = await it.users('reset-password', '2', '--generate');
    const [, password = ''] = stdout.match(/^Password: (\S{20})$/m) ?? [];
    expect(await it.isKnown(it.token)).toBe(false);
    expect((await it.signIn('ada', PASSWORD)).status).toBe(401);
    expect((await it.signIn('ada', password)).status).toBe(200);
    expect(await it.operatorActions(2)).toEqual(['password.changed']);
  }, 20_000);
});
