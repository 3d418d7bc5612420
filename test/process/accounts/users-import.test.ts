import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { hutch, serve } from '../hutch.ts';

const PASSWORD = 'beets-and-barley';
const HASH = Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 });
/** A password of 80 bytes and its hash by libxcrypt, which reads 72 of them. */
const LONG = `${'straw-and-carrots-'.repeat(4)}and-more`;
const LONG_HASH = '$2b$04$abcdefghijklmnopqrstuupfbm6eTomgKNv7IphV0394EjPW8YAHa';
const ADA = { email: 'ada@example.com', username: 'ada', passwordHash: HASH, verified: true };
const BOB = { email: 'bob@example.com', hashed_password: HASH, is_superuser: false };

async function importFile(dir: string, rows: (object | string)[], ...flags: string[]) {
  const file = join(dir, 'users.jsonl');
  const text = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
  await Bun.write(file, `${text.join('\n')}\n`);
  return hutch(['users', 'import', file, '--data-dir', dir, ...flags]);
}

describe('users import', () => {
  test('imports accounts that can sign in immediately to a running server', async () => {
    const dir = tempDir();
    await using server = await serve(dir);
    const { stdout, stderr, status } = await importFile(dir, [ADA, BOB]);
    expect({ stdout, stderr, status }).toEqual({
      stdout: 'Imported 2, already registered 0, bad lines 0.\n',
      stderr: '',
      status: 0,
    });
    const { data } = await server
      .clientFor()
      .api.v2.auth.login.post({ login: 'ada', password: PASSWORD });
    expect(data?.account).toMatchObject({ username: 'ada', email_verified: true });
    const long = { email: 'long@example.com', username: 'long', password_hash: LONG_HASH };
    expect((await importFile(dir, [long])).status).toBe(0);
    const response = await server
      .clientFor()
      .api.v2.auth.login.post({ login: 'long', password: LONG });
    expect(response.status).toBe(200);
    const again = await importFile(dir, [ADA, BOB]);
    expect(again.stdout).toBe('Imported 0, already registered 2, bad lines 0.\n');
  }, 20_000);

  // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
  test('does not make an existing account an admin, and reports it', async () => {
    const dir = tempDir();
    await importFile(dir, [BOB]);
    const admin = { ...BOB, is_superuser: true };
    const { stdout, stderr, status } = await importFile(dir, [ADA, admin]);
    expect({ stdout, status }).toEqual({
      stdout: 'Imported 1, already registered 1, bad lines 0.\n',
      status: 0,
    });
    expect(stderr).toMatch(
      /^Line 2: The email belongs to "bob" \(id 1; .*, which does not become an admin\.$/m,
    );
  }, 20_000);

  test('imports nothing if a line is bad, and reports the line and the reason', async () => {
    const dir = tempDir();
    const { stdout, stderr, status } = await importFile(dir, [ADA, 'nonsense', { email: 'x' }]);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toBe(`Line 2: The line is not a JSON object.
Line 3: The email is not a valid address. The password hash is not bcrypt, argon2id or argon2i.
Imported nothing: bad lines 2, good lines 1.
`);
    const skipped = await importFile(dir, [ADA, 'nonsense'], '--skip-bad');
    expect(skipped.stdout).toBe('Imported 1, already registered 0, bad lines 1.\n');
    expect(skipped.status).toBe(0);
  }, 20_000);

  test('exits with 2 for wrong usage', async () => {
    const dir = ['--data-dir', tempDir()];
    const wrong = [
      ['users', 'import', ...dir],
      ['users', 'import', '/nowhere.jsonl', ...dir],
      ['users', 'import', 'a.jsonl', 'b.jsonl', ...dir],
      ['users', 'import', 'a.jsonl', '--skip-bad', 'yes', ...dir],
    ];
    const ends = await Promise.all(wrong.map((args) => hutch(args)));
    expect(ends.map(({ status }) => status)).toEqual([2, 2, 2, 2]);
    expect(ends.map(({ stderr }) => stderr.split('\n')[0])).toEqual([
      "Missing required argument 'FILE.jsonl'",
      '/nowhere.jsonl cannot be read: no such file or directory.',
      "Too many arguments for 'import'. Expected 1 argument but got 2: a.jsonl, b.jsonl.",
      "Too many arguments for 'import'. Expected 1 argument but got 2: a.jsonl, yes.",
    ]);
  }, 20_000);

  test('documents its input in the help', async () => {
    const { stdout } = await hutch(['users', 'import', '--help']);
    expect(stdout).toContain('Usage: hutch users import [options] FILE.jsonl');
    expect(stdout).toContain('hashed_password');
  });
});

// proves: passwords.a-password-has-8-to-128-characters-of
test('admin create refuses a common password and one that equals the username', async () => {
  const dir = tempDir();
  const secret = join(dir, 'secret');
  const flags = ['--email', 'ada@example.com', '--username', 'Lovelace', '--password-file', secret];
  for (const password of ['password123', 'lovelace']) {
    await Bun.write(secret, password);
    const { status, stderr } = await hutch(['admin', 'create', '--data-dir', dir, ...flags]);
    expect(status).toBe(2);
    expect(stderr).toContain('The password');
  }
}, 20_000);
