import { describe, expect, test } from 'bun:test';
import { PASSWORD, type TestApp, testApp } from '../../support.ts';

const DAY_MS = 86_400_000;

function signIn(t: TestApp, username: string, password: string) {
  const body = new URLSearchParams({ grant_type: 'password', username, password });
  return t.request('POST', '/api/v1/login/access-token', { body });
}

function part(name: string, value: string, more = ''): string {
  const head = `Content-Disposition: form-data; name="${name}"${more}`;
  return `--x\r\n${head}\r\n\r\n${value}\r\n--x--\r\n`;
}

function filePart(name: string, value: string): string {
  return part(name, value, '; filename="a.txt"');
}

describe('POST /login/access-token', () => {
  test.each(['ada', 'ADA', 'ada@example.com', 'Ada@Example.COM'])('signs in %s', async (name) => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const answer = await signIn(t, name, PASSWORD);
    expect(answer.status).toBe(200);
    const token = (await answer.json()) as { access_token: string; token_type: string };
    expect(token.token_type).toBe('bearer');
    const me = await t.clientFor(token.access_token).api.v1.users({ user_id: ada.id }).get();
    expect(me.data?.username).toBe('ada');
  });

  // proves: 16.5.1
  test('bad_credentials is the same for a wrong password and an unknown account', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const wrong = await signIn(t, 'ada', 'password124');
    const unknown = await signIn(t, 'nobody', PASSWORD);
    expect([wrong.status, unknown.status]).toEqual([400, 400]);
    expect(await wrong.json()).toEqual({ detail: 'Incorrect email or password' });
    expect(await unknown.json()).toEqual({ detail: 'Incorrect email or password' });
  });

  test('inactive_user is revealed only with the right password', async () => {
    await using t = await testApp();
    const inactive = { email: 'a@example.com', username: 'ada', password: PASSWORD };
    await t.deps.users.create({ ...inactive, is_active: false });
    expect(await (await signIn(t, 'ada', PASSWORD)).json()).toEqual({ detail: 'Inactive user' });
    expect(await (await signIn(t, 'ada', 'password124')).json()).toEqual({
      detail: 'Incorrect email or password',
    });
  });

  test('only forms are accepted: JSON is unsupported_media_type', async () => {
    await using t = await testApp();
    const answer = await t.json('POST', '/api/v1/login/access-token', { username: 'ada' });
    expect(answer.status).toBe(415);
  });

  test('a multipart form is also read', async () => {
    await using t = await testApp();
    await t.signUp('ada');
    const body = new FormData();
    body.append('username', 'ada');
    body.append('password', PASSWORD);
    const { status } = await t.request('POST', '/api/v1/login/access-token', { body });
    expect(status).toBe(200);
  });

  test.each([
    ['a file', 'multipart/form-data; boundary=x', filePart('username', 'ada'), 422],
    ['invalid UTF-8', 'multipart/form-data; boundary=x', part('username', '\xff'), 422],
    ['no boundary', 'multipart/form-data', part('username', 'ada'), 422],
    ['a form that is cut', 'multipart/form-data; boundary=x', '--x\r\nContent-Dis', 422],
  ])('a multipart form with %s is refused', async (_name, type, text, status) => {
    await using t = await testApp();
    const answer = await t.request('POST', '/api/v1/login/access-token', {
      body: Buffer.from(text, 'latin1'),
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(status);
  });

  test('names the fields that are missing', async () => {
    await using t = await testApp();
    const body = new URLSearchParams({ username: 'ada' });
    const answer = await t.request('POST', '/api/v1/login/access-token', { body });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toEqual({
      detail: [{ type: 'missing', loc: ['body', 'password'], msg: 'Field required' }],
    });
  });

  // proves: cryptography.session-access-mailed-and-flow-tokens
  test('only the SHA-256 of a token is stored', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const dump = JSON.stringify(t.deps.db.client.query('select * from sessions').all());
    expect(dump).not.toContain(token);
    expect(dump).toContain(new Bun.CryptoHasher('sha256').update(token).digest('hex'));
  });
});

describe('a token', () => {
  test('expires', async () => {
    let now = Date.parse('2026-11-22T16:00:00.000Z');
    await using t = await testApp({ now: () => new Date(now), config: { sessionDays: 2 } });
    const { client, id } = await t.signUp('ada');
    now += 2 * DAY_MS - 1;
    expect((await client.api.v1.users({ user_id: id }).get()).status).toBe(200);
    now += 1;
    expect((await client.api.v1.users({ user_id: id }).get()).status).toBe(401);
  });

  test('stops as soon as its account is inactive', async () => {
    await using t = await testApp();
    const { client, id } = await t.signUp('ada');
    t.deps.db.client.run('update users set is_active = 0');
    expect((await client.api.v1.users({ user_id: id }).get()).status).toBe(401);
  });

  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Basic %%',
    'Bearer a b',
    `Bearer ${'x'.repeat(9000)}`,
    'bearer nope',
  ])('unauthenticated with the header %p', async (authorization) => {
    await using t = await testApp();
    const answer = await t.request('GET', '/api/v1/users/1', { headers: { authorization } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });
});
