import { describe, expect, test } from 'bun:test';
import type { Config } from '../../../../src/core/config/config.ts';
import { answerIn } from '../../../openid.ts';
import { outsidersApp, person } from '../../../outsiders.ts';
import { createAuthenticator } from '../../../passkeys.ts';
import { queued } from '../../../smtp.ts';
import { atOnce, PASSWORD, type TestApp, testApp } from '../../../support.ts';

const DAY_MS = 86_400_000;
const REPLAYED = 'idempotency-replayed';
const ADA = { email: 'ada@example.com', username: 'ada', password: 'beets-and-barley' };

/** Sends a POST with a key and returns the parts that distinguish responses. */
async function post(t: TestApp, path: string, body: object, key: string, token?: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const init = { headers, body: JSON.stringify(body), ...(token && { token }) };
  const response = await t.request('POST', path, init);
  return {
    status: response.status,
    location: response.headers.get('location'),
    replayed: response.headers.get(REPLAYED),
    body: JSON.parse(await response.text()),
  };
}

const signUp = (t: TestApp, account: object = ADA, key = 'k-1') =>
  post(t, '/api/v2/auth/register', account, key);

const countOf = (t: TestApp, table: string) =>
  t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0] as number;

/** The content of all tables as text. */
function stored(t: TestApp): string {
  const { client } = t.deps.db;
  const tables = client.query("select name from sqlite_master where type = 'table'").values();
  expect(tables.length).toBeGreaterThan(20);
  return tables.map(([name]) => JSON.stringify(client.query(`select * from ${name}`).all())).join();
}

async function withClock(config: Partial<Config> = {}) {
  let now = new Date('2026-01-01T00:00:00.000Z');
  const t = await testApp({ config, now: () => now });
  const later = (ms: number) => {
    now = new Date(now.getTime() + ms);
  };
  return Object.assign(t, { later });
}

describe('a repeat of a sign-up with the same key', () => {
  test('returns the first response and opens no other session', async () => {
    await using t = await testApp();
    const first = await signUp(t);
    expect(first).toMatchObject({ status: 201, location: '/api/v2/users/me', replayed: null });
    expect(await signUp(t)).toEqual({ ...first, replayed: 'true' });
    expect([countOf(t, 'users'), countOf(t, 'sessions')]).toEqual([1, 1]);
    const me = await t.clientFor(first.body.token).api.v2.users.me.get();
    expect(me.data?.username).toBe('ada');
  });

  test('sets the same cookies again', async () => {
    await using t = await testApp({ config: { publicUrl: 'http://localhost' } });
    const send = async () => {
      const response = await t.request('POST', '/api/v2/auth/register', {
        headers: {
          'content-type': 'application/json',
          'idempotency-key': 'k-1',
          'sec-fetch-site': 'same-origin',
        },
        body: JSON.stringify({ ...ADA, transport: 'cookie' }),
      });
      const [cookies, replayed] = [response.headers.getSetCookie(), response.headers.has(REPLAYED)];
      return { status: response.status, cookies, replayed, body: await response.json() };
    };
    const first = await send();
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(first.cookies.map((it) => it.split('=')[0])).toEqual(['hutch_session', 'hutch_device']);
    expect(await send()).toEqual({ ...first, replayed: true });
  });

  test('is refused without the correct password, and reveals no more than without a key', async () => {
    await using t = await testApp();
    await signUp(t);
    const wrong = { ...ADA, password: 'carrots-and-kale' };
    const response = await signUp(t, wrong);
    const without = await t.json('POST', '/api/v2/auth/register', wrong);
    const { request_id: _, ...body } = response.body;
    expect([response.status, body]).toMatchObject([409, { code: 'email_taken' }]);
    const { request_id: _other, ...same } = (await without.json()) as Record<string, unknown>;
    expect(body).toEqual(same);
  });

  test('counts wrong passwords like those of sign-ins', async () => {
    await using t = await testApp();
    await signUp(t);
    const statuses = [];
    for (let n = 0; n < 6; n++) {
      statuses.push((await signUp(t, { ...ADA, password: `carrots-and-kale-${n}` })).status);
    }
    expect(statuses).toEqual([409, 409, 409, 409, 409, 429]);
  });

  test('is a new sign-up with another body or key', async () => {
    await using t = await testApp();
    await signUp(t);
    const bob = { ...ADA, email: 'bob@example.com', username: 'bob' };
    expect(await signUp(t, bob)).toMatchObject({ status: 201, replayed: null });
    expect(await signUp(t, ADA, 'k-2')).toMatchObject({ status: 409, replayed: null });
  });

  test('during the first is refused, and one account is created', async () => {
    await using t = await testApp();
    const ends = await atOnce(10, () => signUp(t));
    const responses = ends.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    const created = responses.filter(({ status }) => status === 201);
    expect(new Set(created.map(({ body }) => body.token)).size).toBe(1);
    const others = responses.filter(({ status }) => status !== 201);
    expect(others.map(({ body }) => body.code)).toEqual(
      Array(10 - created.length).fill('idempotency_running'),
    );
    expect([countOf(t, 'users'), countOf(t, 'sessions')]).toEqual([1, 1]);
  });

  test('creates the account again after its deletion', async () => {
    await using t = await testApp();
    const { body } = await signUp(t);
    const { me } = t.clientFor(body.token).api.v2.users;
    expect((await me.delete({ password: ADA.password })).status).toBe(204);
    const again = await signUp(t);
    expect(again).toMatchObject({ status: 201, replayed: null });
    expect(again.body.token).not.toBe(body.token);
  });

  test('returns no session once the account has a second factor', async () => {
    await using t = await testApp();
    const { body } = await signUp(t);
    const at = new Date().toISOString();
    t.deps.db.client.run(
      'insert into totps (user_id, secret, confirmed_at, created_at, last_step) values (?, ?, ?, ?, 0)',
      [body.account.id, 'JBSWY3DPEHPK3PXP', at, at],
    );
    expect(await signUp(t)).toMatchObject({ status: 409, body: { code: 'email_taken' } });
  });

  // proves: data.responses-of-idempotency-keys
  test('is a new sign-up after a day', async () => {
    await using t = await withClock();
    await signUp(t);
    t.later(DAY_MS + 1);
    await t.deps.jobs.runAll();
    expect(countOf(t, 'sign_up_keys')).toBe(0);
    expect((await signUp(t)).status).toBe(409);
  });

  test('does not reveal whether the address was taken if verification is required', async () => {
    await using t = await testApp({ config: { emailVerification: 'required' } });
    await t.signUp('bob');
    const bob = { ...ADA, email: 'bob@example.com' };
    const responses = [
      await signUp(t),
      await signUp(t, bob),
      await signUp(t),
      await signUp(t, bob),
    ];
    const [first] = responses;
    expect(first).toMatchObject({ status: 202, replayed: null });
    const repeat = { ...first, replayed: 'true' };
    expect(responses).toEqual([first, first, repeat, repeat] as typeof responses);
    expect(await queued(t)).toHaveLength(2);
  });
});

describe('a repeat of the creation of a token with the same key', () => {
  const TOKEN = { password: PASSWORD, name: 'script', scopes: ['users:read'] };

  test('returns the same token again, which works', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const first = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect(first).toMatchObject({ status: 201, location: '/api/v2/tokens/1', replayed: null });
    const repeat = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect(repeat).toEqual({ ...first, replayed: 'true' });
    expect(countOf(t, 'access_tokens')).toBe(1);
    expect((await t.clientFor(repeat.body.token).api.v2.users.me.get()).status).toBe(200);
  });

  test('requires the password like the first request', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    const { password: _, ...without } = TOKEN;
    const codeOf = async (body: object) =>
      (await post(t, '/api/v2/tokens', body, 'k-1', ada.token)).body.code;
    expect(await codeOf(without)).toBe('proof_required');
    expect(await codeOf({ ...TOKEN, password: 'not-the-one' })).toBe('bad_credentials');
  });

  test('is refused with another body', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    const other = await post(t, '/api/v2/tokens', { ...TOKEN, name: 'b' }, 'k-1', ada.token);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('is secrets_unreadable if the key of the server has changed, and creates nothing', async () => {
    const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
    await using t = await testApp({ config: { secretsKey: key(1) } });
    const ada = await t.signUp('ada');
    await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    const sealed = t.deps.db.client.query('select body from idempotency_keys').values()[0]?.[0];
    const [version, , content] = String(sealed).split('.');
    t.deps.db.client.run('update idempotency_keys set body = ?', [
      [version, '0'.repeat(16), content].join('.'),
    ]);
    const response = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect([response.status, response.body.code]).toEqual([503, 'secrets_unreadable']);
    expect(countOf(t, 'access_tokens')).toBe(1);
  });
});

// proves: data.secret-hashed, cryptography.secrets-of-sources
test('stored responses do not contain their secrets', async () => {
  await using t = await testApp();
  const { body } = await signUp(t);
  const token = { password: ADA.password, name: 'script', scopes: ['users:read'] };
  const created = await post(t, '/api/v2/tokens', token, 'k-1', body.token);
  expect([countOf(t, 'sign_up_keys'), countOf(t, 'idempotency_keys')]).toEqual([1, 1]);
  const text = stored(t);
  expect(text).toContain(created.body.prefix);
  for (const secret of [body.token, body.device_token, created.body.token, ADA.password]) {
    expect(text).not.toContain(secret);
  }
});

test('a repeat of the last step of adding a passkey adds only one', async () => {
  const publicUrl = 'http://localhost';
  await using t = await testApp({ config: { publicUrl } });
  const { client, token } = await t.signUp('ada');
  const { passkeys } = client.api.v2.auth;
  const { data } = await passkeys.options.post({ password: PASSWORD });
  const response = createAuthenticator(publicUrl).create(data?.options);
  const created = { flow: data?.flow, name: 'laptop', response };
  const first = await post(t, '/api/v2/auth/passkeys', created, 'k-1', token);
  expect(first).toMatchObject({ status: 201, location: '/api/v2/auth/passkeys', replayed: null });
  const repeat = await post(t, '/api/v2/auth/passkeys', created, 'k-1', token);
  expect(repeat).toEqual({ ...first, replayed: 'true' });
  expect((await passkeys.get()).data?.data).toHaveLength(1);
});

test('a repeat of the last step of linking an identity links only one', async () => {
  await using o = await outsidersApp();
  const { client, token } = await o.t.signUp('bob');
  const { identities } = client.api.v2.auth;
  const started = await identities.options.post({ provider: 'oidc', password: PASSWORD });
  const back = await o.openid.browse(started.data?.authorization_url ?? '', person('ada'));
  const callback = { flow: started.data?.flow, ...answerIn(back) };
  const first = await post(o.t, '/api/v2/auth/identities', callback, 'k-1', token);
  expect(first).toMatchObject({ status: 201, location: '/api/v2/auth/identities', replayed: null });
  const repeat = await post(o.t, '/api/v2/auth/identities', callback, 'k-1', token);
  expect(repeat).toEqual({ ...first, replayed: 'true' });
  expect((await identities.get()).data?.data).toHaveLength(1);
});
