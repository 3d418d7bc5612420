import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { otherPasswordKinds } from '../../../src/services/accounts/password.ts';
import { ADMIN, type TestApp, testApp } from '../../support.ts';

const PASSWORD = 'beets-and-barley';
const bcrypt = (prefix: string) =>
  Bun.password.hashSync(PASSWORD, { algorithm: 'bcrypt', cost: 4 }).replace('$2b$', prefix);
const HASH = bcrypt('$2b$');

const streamOf = (text: string | Uint8Array<ArrayBuffer>) => new Blob([text]).stream();
const lines = (...rows: object[]) => streamOf(rows.map((row) => JSON.stringify(row)).join('\n'));

async function importAll(t: TestApp, ...rows: object[]) {
  const { accounts, bad } = await t.deps.usersImport.check(lines(...rows));
  expect(bad).toEqual([]);
  return t.deps.usersImport.write(accounts);
}

/** Counts look-ups of accounts by username. */
function countUsernameLookUps() {
  let count = 0;
  const { prepare } = Database.prototype;
  Database.prototype.prepare = function (this: Database, text: string, ...rest: []) {
    const statement = prepare.call(this, text, ...rest);
    if (!/^select .* where "users"\."username_key" = \?$/.test(text)) return statement;
    const all = statement.all.bind(statement);
    statement.all = (...values) => {
      count++;
      return all(...values);
    };
    return statement;
  } as typeof prepare;
  return {
    count: () => count,
    [Symbol.dispose]: () => {
      Database.prototype.prepare = prepare;
    },
  };
}

function usersOf(t: TestApp) {
  return t.deps.db.client.query('SELECT * FROM users ORDER BY id').all() as Record<
    string,
    unknown
  >[];
}

describe('an import', () => {
  test.each([
    ['2024-02-29 12:00:00Z', '2024-02-29T12:00:00.000Z'],
    ['2024-02-29 12:00:00.123456', '2024-02-29T12:00:00.123Z'],
    ['2024-02-29t12:00:00-0130', '2024-02-29T13:30:00.000Z'],
    ['2016-12-31T23:59:60z', '2017-01-01T00:00:00.000Z'],
  ])('stores the creation time %s as %s', async (created_at, stored) => {
    await using t = await testApp();
    await importAll(t, { email: 'ada@example.com', password_hash: HASH, created_at });
    expect(usersOf(t)).toMatchObject([{ created_at: stored }]);
  });

  test.each(['2023-02-30T00:00:00Z', '2023-02-29 00:00:00', '2023-04-31T00:00:00+0200'])(
    'refuses the creation time %s, which does not exist',
    async (created_at) => {
      await using t = await testApp();
      const line = lines({ email: 'ada@example.com', password_hash: HASH, created_at });
      expect(await t.deps.usersImport.check(line)).toMatchObject({
        accounts: [],
        bad: [{ line: 1, reasons: ['created_at is not a time.'] }],
      });
    },
  );

  test('reports a line that is not UTF-8, and skips a byte order mark', async () => {
    await using t = await testApp();
    const good = `{"email":"ada@example.com","password_hash":"${HASH}"}`;
    const bad = `{"email":"l1@example.com","full_name":"Jos\xe9","password_hash":"${HASH}"}`;
    const bytes = Buffer.concat([Buffer.from(`\ufeff${good}\n`), Buffer.from(bad, 'latin1')]);
    expect(await t.deps.usersImport.check(streamOf(Uint8Array.from(bytes)))).toMatchObject({
      accounts: [{ email: 'ada@example.com' }],
      bad: [{ line: 2, reasons: ['Invalid UTF-8.'] }],
    });
  });

  test('reports a line that is too long', async () => {
    await using t = await testApp();
    const { bad } = await t.deps.usersImport.check(lines({ email: 'a'.repeat(70_000) }));
    expect(bad).toEqual([{ line: 1, reasons: ['The line has more than 65536 bytes.'] }]);
  });

  // proves: sign-in-methods.hutch-admin-create-users-import-settings-of-the
  // proves: logs.audit-log-actor-action-target-origin-time-request
  test('stores every field of an account', async () => {
    await using t = await testApp({ now: () => new Date('2026-11-22T16:00:00Z') });
    const counts = await importAll(t, {
      email: 'Ada@example.com',
      username: 'Ada',
      password_hash: HASH,
      is_active: false,
      role: 'admin',
      created_at: '2020-01-02T03:04:05+01:00',
      email_verified: true,
    });
    expect(counts).toEqual({ imported: 1, existing: 0 });
    expect(usersOf(t)).toEqual([
      {
        id: 1,
        email: 'Ada@example.com',
        email_key: 'ada@example.com',
        username: 'Ada',
        username_key: 'ada',
        password_hash: HASH,
        device_key: null,
        email_verified_at: '2026-11-22T16:00:00.000Z',
        is_active: 0,
        role: 'admin',
        created_at: '2020-01-02T02:04:05.000Z',
        updated_at: '2026-11-22T16:00:00.000Z',
      },
    ]);
    const { data } = await t.deps.auditLog.list(ADMIN, {});
    expect(data).toMatchObject([{ action: 'user.imported', user_id: 1, actor_id: null }]);
  });

  test('reads the field names of PocketBase and of the FastAPI template', async () => {
    await using t = await testApp();
    await importAll(
      t,
      {
        id: 'q1w2e3r4t5y6u7i',
        collectionName: 'users',
        email: 'po@example.com',
        emailVisibility: false,
        username: '',
        verified: true,
        passwordHash: bcrypt('$2a$'),
        created: '2022-06-25 11:03:35.123Z',
      },
      {
        id: '6f1d3b52-0000-0000-0000-000000000000',
        email: 'root@example.com',
        hashed_password: HASH,
        is_active: true,
        is_superuser: true,
        full_name: 'Ada Lovelace',
        created_at: '2024-05-06T07:08:09.123456',
      },
      { email: 'null@example.com', hashed_password: HASH, full_name: null, is_active: 1 },
    );
    expect(usersOf(t)).toMatchObject([
      { username: 'po_', role: 'user', created_at: '2022-06-25T11:03:35.123Z' },
      { username: 'Ada Lovelace', role: 'admin', created_at: '2024-05-06T07:08:09.123Z' },
      { username: 'null', role: 'user', is_active: 1, email_verified_at: null },
    ]);
    expect(usersOf(t)[0]?.['email_verified_at']).toBeString();
  });

  test('chooses a free username if a line has none, and never one of another line', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    await importAll(
      t,
      { email: 'ada@one.example', password_hash: HASH },
      { email: 'ADA@two.example', password_hash: HASH },
      { email: 'x@example.com', password_hash: HASH, username: 'ada-4' },
      { email: 'ada@three.example', password_hash: HASH },
      { email: `${'l'.repeat(60)}@example.com`, password_hash: HASH },
    );
    expect(usersOf(t).map(({ username }) => username)).toEqual([
      'ada',
      expect.stringMatching(/^ada-\d{6}$/),
      expect.stringMatching(/^ADA-\d{6}$/),
      'ada-4',
      expect.stringMatching(/^ada-\d{6}$/),
      'l'.repeat(50),
    ]);
  });

  // proves: cryptography.imported-hashes
  test('adds the kinds of its hashes to those in use until the last of each is renewed', async () => {
    await using t = await testApp();
    const own = await t.signUp('ada');
    const kinds = () => otherPasswordKinds(t.deps.db.read);
    // Hashes in tests have lower costs than in production, so they are another kind.
    const known = own.password_hash?.match(/^.*?,p=1\$/)?.[0] ?? '';
    expect(await kinds()).toEqual([known]);
    const hashes = [
      ...['$2b$12$', '$2b$12$', '$2y$10$'].map((kind) => `${kind}${'a'.repeat(53)}`),
      `$argon2id$v=19$m=65536,t=3,p=4$${'a'.repeat(22)}$${'b'.repeat(43)}`,
      `$argon2i$v=19$m=512,t=2,p=16$${'a'.repeat(22)}$${'b'.repeat(43)}`,
      `$argon2id$v=19$m=19456,t=2,p=1$${'a'.repeat(22)}$${'b'.repeat(43)}`,
    ];
    const rows = hashes.map((password_hash, n) => ({ email: `u${n}@example.com`, password_hash }));
    await importAll(t, ...rows);
    expect(await kinds()).toEqual(
      [
        '$2b$12$',
        '$2y$10$',
        '$argon2i$v=19$m=512,t=2,p=16',
        '$argon2id$v=19$m=65536,t=3,p=4$',
        known,
      ].toSorted(),
    );
    t.deps.db.client.run(`update users set password_hash = ? where password_hash like '$2b$%'`, [
      String(own.password_hash),
    ]);
    expect(await kinds()).not.toContain('$2b$12$');
  });

  test('needs about two look-ups for each of many equal usernames', async () => {
    using counted = countUsernameLookUps();
    await using t = await testApp();
    const rows = Array.from({ length: 300 }, (_, index) => ({
      email: `info@c${index}.example.com`,
      password_hash: HASH,
    }));
    expect(await importAll(t, ...rows)).toEqual({ imported: 300, existing: 0 });
    expect(counted.count()).toBeWithin(300, 700);
  });

  test('of many accounts uses more than one transaction', async () => {
    await using t = await testApp();
    const rows = Array.from({ length: 3000 }, (_, index) => ({
      email: `user-${index}@example.com`,
      password_hash: HASH,
    }));
    const before = t.deps.db.stats().commits;
    expect(await importAll(t, ...rows)).toEqual({ imported: 3000, existing: 0 });
    expect(t.deps.db.stats().commits - before).toBeGreaterThan(1);
    expect(await importAll(t, ...rows)).toEqual({ imported: 0, existing: 3000 });
  });

  test('does not change an existing account', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const row = { email: 'ADA@example.com', username: 'other', password_hash: HASH, role: 'admin' };
    const both = [row, { email: 'bob@example.com', password_hash: HASH }];
    expect(await importAll(t, ...both)).toEqual({ imported: 1, existing: 1 });
    expect(await importAll(t, ...both)).toEqual({ imported: 0, existing: 2 });
    expect(await t.deps.adminUsers.get(ADMIN, ada.id)).toMatchObject({
      username: 'ada',
      role: 'user',
    });
  });

  test('refuses a username that is another address, and a full name that is one is not used', async () => {
    await using t = await testApp();
    const eve = { email: 'eve@example.com', password_hash: HASH };
    const { bad } = await t.deps.usersImport.check(
      lines({ ...eve, username: 'owner＠example.com' }, { ...eve, username: 'EVE@example.com' }),
    );
    expect(bad).toMatchObject([{ line: 1, reasons: [expect.stringContaining('with an @')] }]);
    await importAll(t, { ...eve, full_name: 'owner@example.com' });
    expect(usersOf(t)).toMatchObject([{ username: 'eve' }]);
  });

  test('creates more accounts than fit in one transaction', async () => {
    await using t = await testApp();
    const rows = Array.from({ length: 1201 }, (_, index) => ({
      email: `u${index}@example.com`,
      password_hash: HASH,
    }));
    expect(await importAll(t, ...rows)).toEqual({ imported: 1201, existing: 0 });
    expect(usersOf(t)).toHaveLength(1201);
  });

  test('reports all problems of every bad line, and never a hash', async () => {
    await using t = await testApp();
    await t.signUp('taken');
    const good = { email: 'ada@example.com', password_hash: HASH };
    const text = [
      JSON.stringify(good),
      '',
      'nonsense',
      '[1]',
      JSON.stringify({ email: 'nobody', password_hash: 'c2VjcmV0' }),
      JSON.stringify({ ...good, email: 'ADA@example.com' }),
      JSON.stringify({ ...good, email: 'b@example.com', username: 'TAKEN' }),
      JSON.stringify({ ...good, email: 'c@example.com', username: 'ab', is_active: 'yes' }),
      JSON.stringify({ ...good, email: 'd@example.com', role: 'god', created_at: 'today' }),
      JSON.stringify({ ...good, email: 'e@example.com', username: 'a\u0000b' }),
      JSON.stringify({ email: 'f@example.com' }),
    ].join('\r\n');
    const { accounts, bad } = await t.deps.usersImport.check(streamOf(text));
    expect(accounts).toHaveLength(1);
    const noHash = 'The password hash is not bcrypt, argon2id or argon2i.';
    const badName = 'The username must have 3 to 50 characters.';
    expect(bad).toEqual([
      { line: 3, reasons: ['The line is not a JSON object.'] },
      { line: 4, reasons: ['The line is not a JSON object.'] },
      { line: 5, reasons: ['The email is not a valid address.', noHash] },
      { line: 6, reasons: ['Line 1 has the same email.'] },
      { line: 7, reasons: ['The username is taken.'] },
      { line: 8, reasons: [badName, 'is_active must be true or false.'] },
      { line: 9, reasons: ['The role must be user or admin.', 'created_at is not a time.'] },
      { line: 10, reasons: ['At username: text must not contain NUL or lone surrogates.'] },
      { line: 11, reasons: [noHash] },
    ]);
    expect(usersOf(t)).toHaveLength(1);
  });

  test.each([
    '$2b$31$K3JNi5xUQEppJNi5xUQEpuJNi5xUQEppJNi5xUQEppJNi5xUQEppJ',
    '$argon2id$v=19$m=4000000,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    '$argon2d$v=19$m=8,t=1,p=1$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    'pbkdf2_sha256$260000$x$y',
    `${HASH}x`,
  ])('refuses the hash %s', async (password_hash) => {
    await using t = await testApp();
    const { bad } = await t.deps.usersImport.check(
      lines({ email: 'ada@example.com', password_hash }),
    );
    expect(bad).toHaveLength(1);
  });
});

describe('an imported hash', () => {
  const argon2 = (algorithm: 'argon2id' | 'argon2i') =>
    Bun.password.hashSync(PASSWORD, { algorithm, memoryCost: 16, timeCost: 1 });
  test.each([
    ['bcrypt $2a$', bcrypt('$2a$')],
    ['bcrypt $2b$', bcrypt('$2b$')],
    ['bcrypt $2y$', bcrypt('$2y$')],
    ['argon2id', argon2('argon2id')],
    ['argon2i', argon2('argon2i')],
  ])('of %s signs in and is then renewed', async (_, password_hash) => {
    await using t = await testApp();
    await importAll(t, { email: 'ada@example.com', username: 'ada', password_hash });
    const signIn = (password: string) =>
      t.client.api.v2.auth.login.post({ login: 'ada', password });
    expect((await signIn('something else')).status).toBe(401);
    expect((await signIn(PASSWORD)).status).toBe(200);
    expect(usersOf(t)[0]?.['password_hash']).toStartWith('$argon2id$v=19$m=8,t=2,');
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  // Created with libxcrypt, which reads 72 bytes, like passlib and Go, even if they end mid-character.
  test.each([
    [
      '80 bytes',
      `${'straw-and-carrots-'.repeat(4)}and-more`,
      '$2b$04$abcdefghijklmnopqrstuupfbm6eTomgKNv7IphV0394EjPW8YAHa',
    ],
    [
      '81 bytes, two a character',
      `a${'é'.repeat(40)}`,
      '$2b$04$abcdefghijklmnopqrstuuB6OyPRV.a4jQqxN4taK8jbgMieZdxYe',
    ],
    [
      '81 bytes, four a character',
      `a${'🥕'.repeat(20)}`,
      '$2b$04$abcdefghijklmnopqrstuuhASxKbRKE71sHGw9ZRMfiiu12z2wyzy',
    ],
  ])('of bcrypt, for a password of %s, signs in', async (_, password, password_hash) => {
    await using t = await testApp();
    await importAll(t, { email: 'ada@example.com', username: 'ada', password_hash });
    const signIn = (password: string) =>
      t.client.api.v2.auth.login.post({ login: 'ada', password });
    expect((await signIn(`b${password.slice(1)}`)).status).toBe(401);
    expect((await signIn(password)).status).toBe(200);
    // The renewed hash covers the whole password.
    expect((await signIn(`${password}x`)).status).toBe(401);
    expect((await signIn(password)).status).toBe(200);
  });

  test('of argon2-cffi, which the FastAPI template uses, signs in', async () => {
    await using t = await testApp();
    // The example in the documentation of argon2-cffi.
    const password_hash =
      '$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg';
    await importAll(t, { email: 'ada@example.com', username: 'ada', password_hash });
    const login = { login: 'ada', password: 'correct horse battery staple' };
    expect((await t.client.api.v2.auth.login.post(login)).status).toBe(200);
  });
});
