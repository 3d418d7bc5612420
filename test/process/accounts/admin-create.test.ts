import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { hutch, hutchOnTerminal, serve } from '../hutch.ts';

const PASSWORD = 'beets-and-barley';
const EMAIL = 'root@example.com';
const STRANGER = { email: EMAIL, username: 'ops-support', password: PASSWORD };

/** Starts a server where a stranger has signed up with the operator's address. */
async function serveWithStranger(account = STRANGER) {
  const dir = tempDir();
  const server = await serve(dir);
  const { data } = await server.clientFor().api.v2.auth.register.post(account);
  const token = String((data as { token?: string } | null)?.token);
  const create = (...flags: string[]) => ['admin', 'create', '--data-dir', dir, ...flags];
  const isAdmin = async () =>
    (await server.clientFor(token).api.v2.users.get({ query: {} })).status === 200;
  const signIn = (password: string) =>
    server.clientFor().api.v2.auth.login.post({ login: EMAIL, password });
  return { dir, server, token, create, isAdmin, signIn };
}

describe('admin create, when someone else has signed up with the address', () => {
  // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
  test('changes nothing without --promote, and shows the account', async () => {
    const { server, create, isAdmin, signIn } = await serveWithStranger();
    await using _ = server;
    const { stdout, stderr, status } = await hutch(create('--email', EMAIL));
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      '"ops-support" (id 1; email root@example.com, not verified; created less',
    );
    expect(stderr).toContain('--promote');
    expect(await isAdmin()).toBe(false);
    expect((await signIn(PASSWORD)).status).toBe(200);
  }, 20_000);

  test('shows both usernames if --username differs, and changes nothing', async () => {
    const { server, create, isAdmin } = await serveWithStranger();
    await using _ = server;
    const { stderr, status } = await hutch(create('--email', EMAIL, '--username', 'root'));
    expect(status).toBe(1);
    expect(stderr).toContain('"ops-support" (id 1;');
    expect(stderr).toContain('Its username will be "root".');
    expect(await isAdmin()).toBe(false);
  }, 20_000);

  test('with --promote and --username renames the account and reports it', async () => {
    const { server, create } = await serveWithStranger();
    await using _ = server;
    const flags = ['--email', EMAIL, '--username', 'root', '--promote'];
    const { stdout, status } = await hutch(create(...flags));
    expect(status).toBe(0);
    expect(stdout).toContain('Its username is now "root".');
    const password = stdout.match(/^Password: (\S{20})$/m)?.[1] ?? '';
    const { data } = await server.clientFor().api.v2.auth.login.post({ login: 'root', password });
    expect(data).toMatchObject({ account: { id: 1, username: 'root', role: 'admin' } });
  }, 20_000);

  test('with --promote refuses a taken username', async () => {
    const { server, create, isAdmin } = await serveWithStranger();
    await using _ = server;
    const other = { email: 'ada@example.com', username: 'ada', password: PASSWORD };
    await server.clientFor().api.v2.auth.register.post(other);
    const flags = ['--email', EMAIL, '--username', 'ADA', '--promote'];
    const { stderr, status } = await hutch(create(...flags));
    expect(status).toBe(1);
    expect(stderr).toContain('Username already registered');
    expect(await isAdmin()).toBe(false);
  }, 20_000);

  // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
  // proves: sessions.hutch-admin-create-promote
  test('with --promote ends all earlier credentials of the account', async () => {
    const { server, dir, token, create, signIn } = await serveWithStranger();
    await using _ = server;
    const stranger = server.clientFor(token).api.v2;
    const change = { new_email: 'stranger@example.com', password: PASSWORD };
    expect((await stranger.users.me.email.post(change)).status).toBe(202);
    const secret = join(dir, 'secret');
    await Bun.write(secret, 'straw-bed-root\n');
    const flags = ['--email', EMAIL, '--promote', '--password-file', secret];
    const { stdout, status } = await hutch(create(...flags));
    expect(status).toBe(0);
    expect(stdout).not.toContain('Password');
    expect((await stranger.users.me.get()).status).toBe(401);
    expect((await signIn(PASSWORD)).status).toBe(401);
    const { data } = await signIn('straw-bed-root');
    expect(data).toMatchObject({ account: { role: 'admin' } });
    const db = new Database(join(dir, 'hutch.db'), { readonly: true });
    expect(db.query('SELECT count(*) FROM action_tokens').values()).toEqual([[0]]);
    const actions = db.query('SELECT action FROM audit_log WHERE actor_id IS NULL').values().flat();
    expect(actions).toContain('user.role_changed');
    expect(actions).toContain('password.changed');
  }, 20_000);

  test('with --promote and no password generates one', async () => {
    const { server, create, signIn } = await serveWithStranger();
    await using _ = server;
    const flags = ['--promote', '--email', EMAIL, '--username', 'OPS-support'];
    const { stdout } = await hutch(create(...flags));
    const generated = stdout.match(/^Password: (\S{20})$/m)?.[1] ?? '';
    expect((await signIn(generated)).status).toBe(200);
  }, 20_000);

  // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
  test('prompts on a terminal and does nothing without confirmation', async () => {
    const { server, create, isAdmin } = await serveWithStranger();
    await using _ = server;
    for (const answer of ['n', '']) {
      const { screen, status } = await hutchOnTerminal(create('--email', EMAIL), answer);
      expect(status).toBe(1);
      expect(screen).toContain('not verified');
      expect(screen).toContain('Nothing was changed.');
    }
    expect(await isAdmin()).toBe(false);
    const { screen, status } = await hutchOnTerminal(create('--email', EMAIL), 'y');
    expect(status).toBe(0);
    expect(screen).toMatch(/Password: \S{20}/);
  }, 30_000);

  test('a weak password changes nothing', async () => {
    const { server, dir, create, signIn } = await serveWithStranger();
    await using _ = server;
    const secret = join(dir, 'secret');
    await Bun.write(secret, 'ops-support\n');
    const flags = ['--email', EMAIL, '--promote', '--password-file', secret];
    expect((await hutch(create(...flags))).status).toBe(2);
    expect((await signIn(PASSWORD)).status).toBe(200);
  }, 20_000);

  test('control characters in a name are escaped', async () => {
    const { server, create } = await serveWithStranger({
      ...STRANGER,
      username: 'root\u001b[2K\r\u202ex',
    });
    await using _ = server;
    const { stderr } = await hutch(create('--email', EMAIL));
    expect(stderr).toContain('root\\u001b[2K\\r\\u202ex');
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain('\u202e');
  }, 20_000);
});

test('an existing admin is not changed without --promote, and the exit status is 0', async () => {
  const dir = tempDir();
  const create = ['admin', 'create', '--data-dir', dir, '--email', EMAIL];
  await hutch([...create, '--username', 'root']);
  const again = await hutch(create);
  expect(again.status).toBe(0);
  expect(again.stdout).toContain('is already an admin. Nothing was changed.');
  expect(again.stdout).not.toContain('Password');
}, 20_000);

test('a taken username is refused and shown with its account', async () => {
  const { server, create } = await serveWithStranger({
    ...STRANGER,
    email: 'stranger@example.com',
  });
  await using _ = server;
  const { stderr, status } = await hutch(create('--email', EMAIL, '--username', 'ops-support'));
  expect(status).toBe(1);
  expect(stderr).toContain('The username belongs to "ops-support" (id 1; email stranger@');
}, 20_000);

describe('the settings of the first admin', () => {
  const env = {
    HUTCH_ADMIN_EMAIL: EMAIL,
    HUTCH_ADMIN_USERNAME: 'root',
    HUTCH_ADMIN_PASSWORD: 'straw-bed-root',
  };
  const noEffect = (lines: Record<string, unknown>[]) =>
    lines.filter(({ message }) => String(message).startsWith('HUTCH_ADMIN_* had no effect'));

  test.each([
    [{ ...STRANGER }, 'HUTCH_ADMIN_EMAIL'],
    [{ ...STRANGER, email: 'stranger@example.com', username: 'Root' }, 'HUTCH_ADMIN_USERNAME'],
  ])(
    // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
    'cause a warning and no change if %p exists',
    async (account, setting) => {
      const { dir, server } = await serveWithStranger(account);
      await server.stop();
      await using again = await serve(dir, { env });
      expect(noEffect(again.lines)).toMatchObject([
        { level: 'warn', setting, id: 1, email_verified: false, role: 'user' },
      ]);
      const login = { login: account.email, password: PASSWORD };
      const { data } = await again.clientFor().api.v2.auth.login.post(login);
      expect(data).toMatchObject({ account: { role: 'user' } });
    },
    20_000,
  );

  test('cause no warning once they have created their admin', async () => {
    const dir = tempDir();
    await (await serve(dir, { env })).stop();
    await using again = await serve(dir, { env });
    expect(noEffect(again.lines)).toMatchObject([{ level: 'info', id: 1, role: 'admin' }]);
  }, 20_000);
});

test('an import of items for an account with an unverified address shows that account', async () => {
  const { server, dir } = await serveWithStranger();
  await using _ = server;
  const file = join(dir, 'items.jsonl');
  await Bun.write(file, '{"title":"A"}\n');
  const flags = ['--owner', EMAIL, '--data-dir', dir];
  const { stderr, status } = await hutch(['items', 'import', file, '--dry-run', ...flags]);
  expect(status).toBe(0);
  expect(stderr).toContain('Owner: "ops-support" (id 1; email root@example.com, not verified;');
}, 20_000);
