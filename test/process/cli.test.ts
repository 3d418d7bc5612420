import { Database } from 'bun:sqlite';
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';
import { tempDir } from '../support.ts';
import { hutch, isBinary, serve } from './hutch.ts';

// Each test starts processes, which takes seconds on a busy machine.
setDefaultTimeout(20_000);

/** 32 bytes in the format of HUTCH_SECRETS_KEY. */
const SECRETS_KEY = Buffer.from('straw-and-carrots-straw-and-carr').toString('base64');

describe('hutch', () => {
  test('without a command lists the commands', async () => {
    const { stdout, status } = await hutch([]);
    expect(status).toBe(0);
    for (const name of [
      'serve',
      'migrate',
      'admin create',
      'openapi',
      'healthcheck',
      'settings',
      'version',
    ]) {
      expect(stdout).toContain(name);
    }
  });

  test.each([
    'serve',
    'migrate',
    'admin create',
    'users import',
    'openapi',
    'healthcheck',
    'settings',
    'version',
  ])('%s --help explains it', async (command) => {
    const { stdout, status } = await hutch([...command.split(' '), '--help']);
    expect(status).toBe(0);
    expect(stdout).toStartWith(`Usage: hutch ${command}`);
    expect(stdout.length).toBeGreaterThan(100);
  });

  test.each([
    [['sevre'], "Unknown command 'sevre'", 'serve'],
    [['srve', '--help'], "Unknown command 'srve'", 'serve'],
    [['help', 'usrs'], "Unknown command 'usrs'", 'users'],
    [['users', 'imprt', 'a.jsonl'], "Unknown command 'imprt'", 'import'],
  ])('%p is reported with a suggestion, status 2', async (args, message, suggestion) => {
    const { stdout, stderr, status } = await hutch(args);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toStartWith(`${message}\n(Did you mean ${suggestion}?)\n`);
  });

  test.each([[['items', '--help']], [['help', 'items']]])(
    '%p explains the group of commands',
    async (args) => {
      const { stdout, status } = await hutch(args);
      expect(status).toBe(0);
      expect(stdout).toStartWith('Usage: hutch items COMMAND');
      expect(stdout).toContain('items import');
      expect(stdout).toContain('items export');
      expect(stdout).not.toContain('users import');
    },
  );

  test('help and --help of a command print the same', async () => {
    const [help, flag] = await Promise.all([
      hutch(['help', 'users', 'import']),
      hutch(['users', 'import', '--help']),
    ]);
    expect(help).toEqual(flag);
    expect(help.stdout).toContain('--skip-bad');
  });

  test('a group without a command prints its help, status 2', async () => {
    const { stdout, stderr, status } = await hutch(['admin']);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr).toContain('admin create');
  });

  test('version', async () => {
    expect((await hutch(['version'])).stdout).toStartWith(`hutch ${version} `);
    for (const flag of ['--version', '-v']) {
      expect((await hutch([flag])).stdout).toStartWith(`hutch ${version} `);
    }
  });
});

describe('wrong usage', () => {
  test.each([
    [['serve', '--prot', '3'], "Unknown option '--prot'\n(Did you mean --port?)"],
    [['serve', '--port'], "Option '--port <value>' argument missing"],
    [['serve', 'now'], "Too many arguments for 'serve'. Expected 0 arguments but got 1: now."],
    [['usage', 'verify', '--repair=yes'], "Unknown option '--repair=yes'"],
  ])('%p is reported once, status 2', async (args, problem) => {
    const { stderr, status } = await hutch(args);
    expect(status).toBe(2);
    expect(stderr).toBe(
      `${problem}\n\nSee hutch ${args[0] === 'serve' ? 'serve' : 'usage verify'} --help.\n`,
    );
  });

  test('reports every invalid setting, status 2, and creates nothing', async () => {
    const cwd = tempDir();
    const env = { HUTCH_PORT: 'x', HUTCH_REGISTRATION: 'y', HUTCH_PROT: '1' };
    const { stderr, status } = await hutch(['serve'], { cwd, env });
    expect(status).toBe(2);
    for (const name of Object.keys(env)) expect(stderr).toContain(name);
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('migrate', () => {
  test('creates the schema, and then has nothing to do', async () => {
    const dir = tempDir();
    expect((await hutch(['migrate', '--data-dir', dir])).stdout).toContain('Applied 0000_start');
    expect((await hutch(['migrate', '--data-dir', dir])).stdout).toContain('Nothing to migrate');
  });

  test('shows in a dry run what it would apply, and changes nothing', async () => {
    const dir = join(tempDir(), 'data');
    const { stdout } = await hutch(['migrate', '--dry-run', '--data-dir', dir]);
    expect(stdout).toContain('Would apply 0000_start');
    expect(existsSync(dir)).toBe(false);
  });

  test('prints what it applied as JSON', async () => {
    const dir = tempDir();
    const run = async (...flags: string[]) =>
      JSON.parse((await hutch(['migrate', '--json', '--data-dir', dir, ...flags])).stdout);
    const nothing = { core: [], migrations: [], steps: [], notices: [], refusals: [] };
    expect((await run()).core).toContain('0000_start');
    expect(await run()).toEqual({ is_applied: true, ...nothing });
    expect(await run('--dry-run')).toEqual({ is_applied: false, ...nothing });
  });

  test('refuses a newer database, like serve', async () => {
    const dir = tempDir();
    await hutch(['migrate', '--data-dir', dir]);
    const client = new Database(join(dir, 'hutch.db'));
    client.run(`insert into hutch_migrations values ('9999_future', 'x')`);
    client.close();
    for (const command of ['migrate', 'serve']) {
      const { stderr, status } = await hutch([command, '--data-dir', dir]);
      expect(status).toBe(1);
      expect(stderr).toContain('newer than this hutch');
    }
  });
});

describe('admin create', () => {
  const flags = ['--email', 'root@example.com', '--username', 'root'];

  // proves: 6.3.2, 6.4.1, 13.3.2
  test('creates an admin with a password that it prints once', async () => {
    const dir = tempDir();
    const { stdout, status } = await hutch(['admin', 'create', '--data-dir', dir, ...flags]);
    expect(status).toBe(0);
    const password = stdout.match(/^Password: (\S{20})$/m)?.[1] ?? '';
    await using server = await serve(dir);
    const token = await server.signIn('root', password);
    expect((await server.clientFor(token).api.v1.users.get()).status).toBe(200);
  });

  test('works with a running server, and does nothing the second time', async () => {
    const dir = tempDir();
    const secret = join(dir, 'secret');
    await Bun.write(secret, 'beets-and-barley\n');
    await using server = await serve(dir);
    const create = ['admin', 'create', '--data-dir', dir, '--password-file', secret, ...flags];
    expect((await hutch(create)).stdout).not.toContain('Password');
    expect((await hutch(create)).stdout).toContain('is already an admin');
    const token = await server.signIn('root', 'beets-and-barley');
    expect((await server.clientFor(token).api.v1.users.get()).data).toHaveLength(1);
  });

  test('reports invalid fields of the account, status 2', async () => {
    const dir = tempDir();
    const wrong = ['--email', 'root', '--username', 'r'];
    const { stderr, status } = await hutch(['admin', 'create', '--data-dir', dir, ...wrong]);
    expect(status).toBe(2);
    expect(stderr).toContain('email');
    expect(stderr).toContain('username');
  });
});

describe('openapi', () => {
  test('prints the document of a server, and uses no data directory', async () => {
    const cwd = tempDir();
    const { stdout } = await hutch(['openapi'], { cwd });
    await using server = await serve(tempDir());
    expect(JSON.parse(stdout)).toEqual(await (await fetch(`${server.url}/openapi.json`)).json());
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe('settings', () => {
  test('--example prints .env.example', async () => {
    const { stdout } = await hutch(['settings', '--example']);
    expect(stdout).toBe(await Bun.file('.env.example').text());
  });

  test('shows effective values and their sources, without secrets', async () => {
    const secret = join(tempDir(), 'smtp-url');
    await Bun.write(secret, 'smtp://hutch:oats-and-hay@mail.example.com\n');
    const env = {
      HUTCH_SMTP_URL_FILE: secret,
      HUTCH_SECRETS_KEY: SECRETS_KEY,
      HUTCH_PORT: '4000',
      HUTCH_TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16',
    };
    const args = ['settings', '--port', '5000', '--log-level=warn'];
    const { stdout, stderr } = await hutch(args, { env });
    const rows = Object.fromEntries(
      stdout.split('\n').map((line) => [line.split(' ')[0], line.replaceAll(/ {2,}/g, ' ')]),
    );
    expect(rows).toMatchObject({
      HUTCH_PORT: 'HUTCH_PORT 5000 command line: --port',
      HUTCH_LOG_LEVEL: 'HUTCH_LOG_LEVEL warn command line: --log-level',
      HUTCH_HOST: 'HUTCH_HOST 127.0.0.1 default',
      HUTCH_TRUSTED_PROXIES:
        'HUTCH_TRUSTED_PROXIES 10.0.0.1,10.1.0.0/16 environment: HUTCH_TRUSTED_PROXIES',
      HUTCH_SMTP_URL: `HUTCH_SMTP_URL ******** file: ${secret}`,
      HUTCH_SECRETS_KEY: 'HUTCH_SECRETS_KEY ******** environment: HUTCH_SECRETS_KEY',
    });
    expect(stdout + stderr).not.toMatch(/oats|hay|straw/);
  });

  test('--json prints the same as JSON', async () => {
    const env = { HUTCH_PORT: '4000', HUTCH_SECRETS_KEY: SECRETS_KEY };
    const { stdout } = await hutch(['settings', '--json'], { env });
    const all = JSON.parse(stdout) as Record<string, unknown>[];
    const names = [...(await Bun.file('.env.example').text()).matchAll(/^#(HUTCH_\w+)=/gm)];
    expect(all.map(({ name }) => name)).toEqual(names.map(([, name]) => name));
    expect(all).toContainEqual({
      name: 'HUTCH_PORT',
      value: 4000,
      source: 'environment',
      from: 'HUTCH_PORT',
    });
    expect(all).toContainEqual({ name: 'HUTCH_HOST', value: '127.0.0.1', source: 'default' });
    expect(stdout).not.toContain(SECRETS_KEY);
  });

  test('reports every invalid setting, status 2', async () => {
    const env = { HUTCH_PORT: 'x', HUTCH_PROT: '1', HUTCH_SMTP_URL_FILE: '/nowhere/smtp' };
    const { stdout, stderr, status } = await hutch(['settings'], { env });
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr.split('\n').slice(0, 3).toSorted()).toEqual([
      'HUTCH_PORT must be a whole number from 0 to 65535.',
      'HUTCH_PROT is not a setting.',
      'HUTCH_SMTP_URL_FILE names a file that cannot be read: /nowhere/smtp (no such file or directory).',
    ]);
  });
});

describe('healthcheck', () => {
  test('prints ready for a running server and fails without one', async () => {
    await using server = await serve(tempDir());
    const ready = await hutch(['healthcheck', '--url', server.url]);
    expect([ready.status, ready.stdout.trim()]).toEqual([0, 'ready']);
    await server.stop();
    expect((await hutch(['healthcheck', '--url', server.url])).status).toBe(1);
  });
});

if (isBinary) {
  // proves: threat-model.the-environment-of-the-process-is-trusted
  // proves: outbound-calls.files, 13.4.1, 16.2.3
  test('the binary reads nothing from its working directory', async () => {
    const cwd = tempDir();
    await Bun.write(join(cwd, '.env'), 'HUTCH_PORT=nonsense\nHUTCH_EVIL=1\n');
    await Bun.write(join(cwd, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
    await Bun.write(join(cwd, 'evil.ts'), `await Bun.write('${join(cwd, 'evil.txt')}', 'ran')`);
    await Bun.write(join(cwd, 'package.json'), '{"type":"commonjs"}');
    await Bun.write(join(cwd, 'tsconfig.json'), '{"compilerOptions":{"jsx":"nonsense"}}');
    await using server = await serve(tempDir(), { cwd });
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    expect(existsSync(join(cwd, 'evil.txt'))).toBe(false);
  });
}

// proves: 13.4.2, 16.5.1
test('an internal error reveals no details', async () => {
  const dir = tempDir();
  await using server = await serve(dir);
  const client = new Database(join(dir, 'hutch.db'));
  // The server may be running its jobs.
  client.run('pragma busy_timeout = 5000');
  client.run('drop table items');
  client.close();
  const response = await fetch(`${server.url}/api/v1/items/`);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe('{"detail":"Internal server error"}');
});
