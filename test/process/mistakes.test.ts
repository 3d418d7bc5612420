import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { COMMAND, freePort, hutch, serve } from './hutch.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Commands that open the database. */
const COMMANDS = [
  ['serve', '--port', '0'],
  ['migrate'],
  ['admin', 'create', '--email', 'root@example.com', '--username', 'root'],
  ['users', 'list'],
  ['users', 'import', '-'],
  ['items', 'import', '-', '--owner', 'root'],
  ['items', 'export', '-'],
  ['usage', 'verify'],
];

/** Runs every command on a data directory that `spoil` has made unusable. */
async function runAll(spoil: (dir: string) => void, options = {}) {
  return Promise.all(
    COMMANDS.map(async (args) => {
      const dir = join(tempDir(), 'data');
      mkdirSync(dir);
      spoil(dir);
      const { stdout, stderr, status } = await hutch([...args, '--data-dir', dir], options);
      const message = stderr.replaceAll(dir, 'DIR').replace(/^hutch [a-z -]+: /, '');
      return { stdout, status, message };
    }),
  );
}

async function expectAll(spoil: (dir: string) => void, message: string) {
  const ends = await runAll(spoil);
  expect(ends).toEqual(COMMANDS.map(() => ({ stdout: '', status: 1, message: `${message}\n` })));
}

describe('each command reports in one sentence with the path', () => {
  test('that the file is not a database', async () => {
    await expectAll(
      (dir) => writeFileSync(join(dir, 'hutch.db'), 'surely not a database, '.repeat(50)),
      'The database DIR/hutch.db cannot be used: it is not a SQLite database.',
    );
  }, 60_000);

  test('that the database is a directory', async () => {
    await expectAll(
      (dir) => mkdirSync(join(dir, 'hutch.db')),
      'DIR/hutch.db must be a file or not exist.',
    );
  }, 60_000);

  test('that the lock is a directory, or the outbox a file', async () => {
    await expectAll(
      (dir) => mkdirSync(join(dir, 'hutch.lock')),
      'DIR/hutch.lock must be a file or not exist.',
    );
    await expectAll(
      (dir) => writeFileSync(join(dir, 'outbox'), ''),
      'DIR/outbox must be a directory or not exist.',
    );
  }, 90_000);

  test('that the data directory is a file, or below one', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    const run = async (dir: string) => (await hutch(['migrate', '--data-dir', dir])).stderr;
    expect(await run(file)).toBe(
      `hutch migrate: The data directory ${file} cannot be created: it already exists.\n`,
    );
    expect(await run(join(file, 'data'))).toBe(
      `hutch migrate: The data directory ${file}/data cannot be created: a part of the path is not a directory.\n`,
    );
    expect(await run('')).toContain('--data-dir must not be empty.');
  }, 20_000);
});

/** Runs a command as a user without permissions. */
async function runAsNobody(args: string[]) {
  const drop = ['setpriv', `--reuid=${NOBODY}`, '--clear-groups', '--bounding-set=-all'];
  const child = Bun.spawn([...drop, ...COMMAND, ...args], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', HOME: '/' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return { stderr: await child.stderr.text(), status: await child.exited };
}

/** True if another user can run the tested command: the checkout may not be readable by others. */
async function canRunAsNobody(): Promise<boolean> {
  if (!isRoot || !Bun.which('setpriv')) return false;
  return (await runAsNobody(['version'])).status === 0;
}

describe.skipIf(!(await canRunAsNobody()))('as a user other than the owner', () => {
  test('each command names the directory that it cannot write', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o755);
    const ends = await Promise.all(
      COMMANDS.map((args) => runAsNobody([...args, '--data-dir', dir])),
    );
    const message = `${dir} cannot be written: permission denied. It belongs to user 0, and hutch runs as user ${NOBODY}.`;
    for (const { stderr, status } of ends) {
      expect({ status, message: stderr.replace(/^hutch [a-z -]+: /, '') }).toEqual({
        status: 1,
        message: `${message}\n`,
      });
    }
  }, 60_000);

  test('each command names the file that it cannot write', async () => {
    const dir = tempDir();
    await hutch(['migrate', '--data-dir', dir]);
    chmodSync(dir, 0o777);
    const { stderr } = await runAsNobody(['users', 'list', '--data-dir', dir]);
    expect(stderr).toStartWith(
      `hutch users list: ${dir}/hutch.db cannot be written: permission denied.`,
    );
  }, 20_000);

  test('a data directory that cannot be created is reported', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o755);
    const { stderr } = await runAsNobody(['migrate', '--data-dir', join(dir, 'data')]);
    expect(stderr).toBe(
      `hutch migrate: The data directory ${dir}/data cannot be created: permission denied.\n`,
    );
  }, 20_000);

  test('unreadable input and unwritable output are reported', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o755);
    const own = join(dir, 'data');
    mkdirSync(own);
    chmodSync(own, 0o777);
    const file = join(dir, 'items.csv');
    writeFileSync(file, 'title\nA\n', { mode: 0o600 });
    const flags = ['--data-dir', own];
    const read = await runAsNobody(['items', 'import', file, '--owner', 'x', ...flags]);
    expect(read.stderr).toStartWith(`${file} cannot be read: permission denied.\n`);
    const written = await runAsNobody(['items', 'export', file, ...flags]);
    expect(written.stderr).toStartWith(`${file}.part cannot be written: permission denied.\n`);
  }, 20_000);

  test('a port below 1024 is explained', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o777);
    const { stderr } = await runAsNobody(['serve', '--port', '80', '--data-dir', dir]);
    expect(stderr).toBe(
      'hutch serve: Cannot listen on 127.0.0.1:80: permission denied. A port below 1024 needs root or CAP_NET_BIND_SERVICE.\n',
    );
  }, 20_000);
});

describe('serve reports in one sentence', () => {
  test('that the port is in use', async () => {
    const port = freePort();
    await using _ = await serve(tempDir(), { args: ['--port', String(port)] });
    const { stderr, status } = await hutch([
      'serve',
      ...['--port', String(port), '--data-dir', tempDir()],
    ]);
    expect({ stderr, status }).toEqual({
      stderr: `hutch serve: Cannot listen on 127.0.0.1:${port}: another program uses the address and port.\n`,
      status: 1,
    });
  }, 20_000);

  test('that this machine does not have the address', async () => {
    const args = ['serve', '--port', '0', '--host', '192.0.2.1', '--data-dir', tempDir()];
    expect((await hutch(args)).stderr).toBe(
      'hutch serve: Cannot listen on 192.0.2.1:0: this machine does not have the address.\n',
    );
  }, 20_000);

  test('that the file of a secret is a directory', async () => {
    const dir = tempDir();
    const { stderr, status } = await hutch(['serve'], { env: { HUTCH_SMTP_URL_FILE: dir } });
    expect(status).toBe(2);
    expect(stderr).toStartWith(
      `HUTCH_SMTP_URL_FILE names a file that cannot be read: ${dir} (it is a directory).\n`,
    );
  }, 20_000);
});

describe('files of import and export', () => {
  test('that are directories are reported', async () => {
    const dir = tempDir();
    const flags = ['--data-dir', join(dir, 'data')];
    const ends = await Promise.all([
      hutch(['items', 'import', dir, '--owner', 'x', ...flags]),
      hutch(['users', 'import', dir, ...flags]),
      hutch(['items', 'export', dir, ...flags]),
      hutch([
        'admin',
        'create',
        '--email',
        'a@example.com',
        '--password-file',
        dir,
        '--username',
        'abc',
        ...flags,
      ]),
    ]);
    expect(ends.map(({ status, stderr }) => [status, stderr.split('\n')[0]])).toEqual([
      [2, `${dir} cannot be read: it is a directory.`],
      [2, `${dir} cannot be read: it is a directory.`],
      [2, `${dir} cannot be written: it is a directory.`],
      [2, `--password-file ${dir} cannot be read: it is a directory.`],
    ]);
  }, 20_000);

  test.skipIf(!existsSync('/dev/full'))(
    'on a full disk are reported as incomplete',
    async () => {
      const dir = tempDir();
      const { stderr, status } = await hutch([
        'items',
        'export',
        '/dev/full',
        '--format',
        'csv',
        '--data-dir',
        dir,
      ]);
      expect({ stderr, status }).toEqual({
        stderr: 'hutch items export: The export is incomplete: the disk is full.\n',
        status: 1,
      });
    },
    20_000,
  );

  test
    .skipIf(!existsSync('/dev/full'))
    .each([
      [['openapi']],
      [['settings']],
      [['settings', '--example']],
      [['users', 'list']],
      [['version']],
    ])(
    'on a full disk fail %j',
    async (args) => {
      const data = ['users', 'settings'].includes(args[0] ?? '') ? ['--data-dir', tempDir()] : [];
      const command = [...COMMAND, ...args, ...data];
      const child = Bun.spawn(command, { stdout: Bun.file('/dev/full'), stderr: 'pipe' });
      expect([await child.stderr.text(), await child.exited]).toEqual([
        `hutch ${args.filter((it) => !it.startsWith('-')).join(' ')}: Standard output cannot be written: the disk is full.\n`,
        1,
      ]);
    },
    20_000,
  );

  test('are not left behind by an export that cannot start', async () => {
    const dir = tempDir();
    const out = join(dir, 'out');
    mkdirSync(out);
    const flags = ['--owner', 'nobody', '--data-dir', join(dir, 'data')];
    const { status } = await hutch(['items', 'export', join(out, 'items.csv'), ...flags]);
    expect(status).toBe(1);
    expect(readdirSync(out)).toEqual([]);
  }, 20_000);

  test.each([
    [
      'title;description\nA;B\n',
      'title;description: The columns are separated by semicolons instead of commas',
    ],
    [
      'title\tdescription\nA\tB\n',
      'title\tdescription: The columns are separated by tabs instead of commas',
    ],
    [
      'name,owner\nA,B\n',
      'name: There is no such column; owner: There is no such column; title: Field required',
    ],
  ])(
    'that start with the CSV row %j are refused with its columns',
    async (text, problems) => {
      const dir = tempDir();
      const file = join(dir, 'items.csv');
      writeFileSync(file, text);
      await hutch([
        'admin',
        'create',
        '--email',
        'root@example.com',
        '--username',
        'root',
        '--data-dir',
        dir,
      ]);
      const { stderr, status } = await hutch([
        'items',
        'import',
        file,
        '--owner',
        'root',
        '--data-dir',
        dir,
      ]);
      expect({ stderr, status }).toEqual({
        stderr: `hutch items import: The first row must name columns, separated by commas: title, description, url, tags, data, visibility (${problems}).\n`,
        status: 1,
      });
    },
    20_000,
  );
});
