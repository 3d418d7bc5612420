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

/** Sends POST with a key and returns what tells responses apart. */
async function post(t: TestApp, path: string, body: object, key: string, token?: string) {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const init = { headers, body: JSON.stringify(body), ...(token && { token }) };
  const answer = await t.request('POST', path, init);
  return {
    status: answer.status,
    location: answer.headers.get('location'),
    replayed: answer.headers.get(REPLAYED),
    body: JSON.parse(await answer.text()),
  };
}

const signUp = (t: TestApp, account: object = ADA, key = 'k-1') =>
  post(t, '/api/v2/auth/register', account, key);

const countOf = (t: TestApp, table: string) =>
  t.deps.db.client.query(`select count(*) from ${table}`).values()[0]?.[0] as number;

/** Everything in the database that is text. */
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

describe('a repeat of a sign-up with its key', () => {
  test('gets the first response and opens no other session', async () => {
    await using t = await testApp();
    const first = await signUp(t);
    expect(first).toMatchObject({ status: 201, location: '/api/v2/users/me', replayed: null });
    expect(await signUp(t)).toEqual({ ...first, replayed: 'true' });
    expect([countOf(t, 'users'), countOf(t, 'sessions')]).toEqual([1, 1]);
    const me = await t.clientFor(first.body.token).api.v2.users.me.get();
    expect(me.data?.username).toBe('ada');
  });

  test('gets the same cookies again', async () => {
    await using t = await testApp({ config: { publicUrl: 'http://localhost' } });
    const send = async () => {
      const answer = await t.request('POST', '/api/v2/auth/register', {
        headers: {
          'content-type': 'application/json',
          'idempotency-key': 'k-1',
          'sec-fetch-site': 'same-origin',
        },
        body: JSON.stringify({ ...ADA, transport: 'cookie' }),
      });
      const [cookies, replayed] = [answer.headers.getSetCookie(), answer.headers.has(REPLAYED)];
      return { status: answer.status, cookies, replayed, body: await answer.json() };
    };
    const first = await send();
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(first.cookies.map((it) => it.split('=')[0])).toEqual(['hutch_session', 'hutch_device']);
    expect(await send()).toEqual({ ...first, replayed: true });
  });

  test('is refused without the right password, and says no more than without a key', async () => {
    await using t = await testApp();
    await signUp(t);
    const wrong = { ...ADA, password: 'carrots-and-kale' };
    const answer = await signUp(t, wrong);
    const without = await t.json('POST', '/api/v2/auth/register', wrong);
    const { request_id: _, ...body } = answer.body;
    expect([answer.status, body]).toMatchObject([409, { code: 'email_taken' }]);
    const { request_id: _other, ...same } = (await without.json()) as Record<string, unknown>;
    expect(body).toEqual(same);
  });

  test('has its guesses at the password counted as those at sign-in', async () => {
    await using t = await testApp();
    await signUp(t);
    const statuses = [];
    for (let n = 0; n < 6; n++) {
      statuses.push((await signUp(t, { ...ADA, password: `carrots-and-kale-${n}` })).status);
    }
    expect(statuses).toEqual([409, 409, 409, 409, 409, 429]);
  });

  test('is another sign-up with another body or key', async () => {
    await using t = await testApp();
    await signUp(t);
    const bob = { ...ADA, email: 'bob@example.com', username: 'bob' };
    expect(await signUp(t, bob)).toMatchObject({ status: 201, replayed: null });
    expect(await signUp(t, ADA, 'k-2')).toMatchObject({ status: 409, replayed: null });
  });

  test('that comes while the first is under way is refused, and one account is created', async () => {
    await using t = await testApp();
    const ends = await atOnce(10, () => signUp(t));
    const answers = ends.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []));
    const made = answers.filter(({ status }) => status === 201);
    expect(new Set(made.map(({ body }) => body.token)).size).toBe(1);
    const others = answers.filter(({ status }) => status !== 201);
    expect(others.map(({ body }) => body.code)).toEqual(
      Array(10 - made.length).fill('idempotency_running'),
    );
    expect([countOf(t, 'users'), countOf(t, 'sessions')]).toEqual([1, 1]);
  });

  test('creates the account anew once it was deleted', async () => {
    await using t = await testApp();
    const { body } = await signUp(t);
    const { me } = t.clientFor(body.token).api.v2.users;
    expect((await me.delete({ password: ADA.password })).status).toBe(204);
    const again = await signUp(t);
    expect(again).toMatchObject({ status: 201, replayed: null });
    expect(again.body.token).not.toBe(body.token);
  });

  test('shows no session once the account has a second factor', async () => {
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
  test('finds nothing after a day', async () => {
    await using t = await withClock();
    await signUp(t);
    t.later(DAY_MS + 1);
    await t.deps.jobs.runAll();
    expect(countOf(t, 'sign_up_keys')).toBe(0);
    expect((await signUp(t)).status).toBe(409);
  });

  test('tells nobody whether the address was taken where it must be proved', async () => {
    await using t = await testApp({ config: { emailVerification: 'required' } });
    await t.signUp('bob');
    const bob = { ...ADA, email: 'bob@example.com' };
    const answers = [await signUp(t), await signUp(t, bob), await signUp(t), await signUp(t, bob)];
    const [first] = answers;
    expect(first).toMatchObject({ status: 202, replayed: null });
    const repeat = { ...first, replayed: 'true' };
    expect(answers).toEqual([first, first, repeat, repeat] as typeof answers);
    expect(await queued(t)).toHaveLength(2);
  });
});

describe('a repeat of the creation of a token with its key', () => {
  const TOKEN = { password: PASSWORD, name: 'script', scopes: ['users:read'] };

  test('shows the same token again, which works', async () => {
    await using t = await testApp();
    const ada = await t.signUp('ada');
    const first = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect(first).toMatchObject({ status: 201, location: '/api/v2/tokens/1', replayed: null });
    const repeat = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect(repeat).toEqual({ ...first, replayed: 'true' });
    expect(countOf(t, 'access_tokens')).toBe(1);
    expect((await t.clientFor(repeat.body.token).api.v2.users.me.get()).status).toBe(200);
  });

  test('needs the password as the first request did', async () => {
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

  test('is secrets_unreadable with another key of the server, and creates nothing', async () => {
    const key = (byte: number) => Buffer.alloc(32, byte).toString('base64');
    await using t = await testApp({ config: { secretsKey: key(1) } });
    const ada = await t.signUp('ada');
    await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    const sealed = t.deps.db.client.query('select body from idempotency_keys').values()[0]?.[0];
    const [version, , content] = String(sealed).split('.');
    t.deps.db.client.run('update idempotency_keys set body = ?', [
      [version, '0'.repeat(16), content].join('.'),
    ]);
    const answer = await post(t, '/api/v2/tokens', TOKEN, 'k-1', ada.token);
    expect([answer.status, answer.body.code]).toEqual([503, 'secrets_unreadable']);
    expect(countOf(t, 'access_tokens')).toBe(1);
  });
});

// proves: data.secret-hashed, cryptography.secrets-of-sources
test('no stored response holds a secret that it shows', async () => {
  await using t = await testApp();
  const { body } = await signUp(t);
  const token = { password: ADA.password, name: 'script', scopes: ['users:read'] };
  const made = await post(t, '/api/v2/tokens', token, 'k-1', body.token);
  expect([countOf(t, 'sign_up_keys'), countOf(t, 'idempotency_keys')]).toEqual([1, 1]);
  const text = stored(t);
  expect(text).toContain(made.body.prefix);
  for (const secret of [body.token, body.device_token, made.body.token, ADA.password]) {
    expect(text).not.toContain(secret);
  }
});

test('a repeat of the last step of adding a passkey adds one', async () => {
  const publicUrl = 'http://localhost';
  await using t = await testApp({ config: { publicUrl } });
  const { client, token } = await t.signUp('ada');
  const { passkeys } = client.api.v2.auth;
  const { data } = await passkeys.options.post({ password: PASSWORD });
  const response = createAuthenticator(publicUrl).create(data?.options);
  const made = { flow: data?.flow, name: 'laptop', response };
  const first = await post(t, '/api/v2/auth/passkeys', made, 'k-1', token);
  expect(first).toMatchObject({ status: 201, location: '/api/v2/auth/passkeys', replayed: null });
  const repeat = await post(t, '/api/v2/auth/passkeys', made, 'k-1', token);
  expect(repeat).toEqual({ ...first, replayed: 'true' });
  expect((await passkeys.get()).data?.data).toHaveLength(1);
});

test('a repeat of the last step of linking an identity links one', async () => {
  await using o = await outsidersApp();
  const { client, token } = await o.t.signUp('bob');
  const { identities } = client.api.v2.auth;
  const begun = await identities.options.post({ provider: 'oidc', password: PASSWORD });
  const back = await o.openid.browse(begun.data?.authorization_url ?? '', person('ada'));
  const answer = { flow: begun.data?.flow, ...answerIn(back) };
  const first = await post(o.t, '/api/v2/auth/identities', answer, 'k-1', token);
  expect(first).toMatchObject({ status: 201, location: '/api/v2/auth/identities', replayed: null });
  const repeat = await post(o.t, '/api/v2/auth/identities', answer, 'k-1', token);
  expect(repeat).toEqual({ ...first, replayed: 'true' });
  expect((await identities.get()).data?.data).toHaveLength(1);
});
