import { describe, expect, test } from 'bun:test';
import type { Config } from '../../../src/core/config/config.ts';
import { type TestApp, testApp } from '../../support.ts';

const PASSWORD = 'straw-bed-77';
const https = { config: { publicUrl: 'https://api.example.com' } };
const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const ada = { email: 'ada@example.com', username: 'ada', password: PASSWORD };

/** Sends JSON with these headers. */
function send(t: TestApp, method: string, path: string, headers: object, body?: object) {
  return t.request(method, path, {
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
}

const register = (t: TestApp, headers: object = sameOrigin) =>
  send(t, 'POST', '/api/v2/auth/register', headers, { ...ada, transport: 'cookie' });

const login = (t: TestApp, headers: object = sameOrigin) =>
  send(t, 'POST', '/api/v2/auth/login', headers, {
    login: 'ada',
    password: PASSWORD,
    transport: 'cookie',
  });

/** The cookie of the session that an answer sets: the first. */
const sessionCookie = (answer: Response) => answer.headers.getSetCookie()[0];

/** Its `name=value`. */
function pairOf(answer: Response): string {
  return sessionCookie(answer)?.split(';')[0] ?? '';
}

const attributesOf = (answer: Response) => sessionCookie(answer)?.split('; ').slice(1).toSorted();

/** A registered account whose session is in a cookie. */
async function signedIn(config: Partial<Config> = {}) {
  const t = await testApp({ config });
  const cookie = pairOf(await register(t));
  return { t, cookie, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

describe('a session in a cookie', () => {
  // proves: 3.3.1, 3.3.2, 3.3.3, 3.3.4, 14.3.3
  test('has the prefix __Host- and is Secure behind https, and its token is only there', async () => {
    await using t = await testApp(https);
    const answer = await register(t);
    expect(answer.status).toBe(201);
    expect(pairOf(answer)).toMatch(/^__Host-hutch=[\w-]{43}$/);
    expect(attributesOf(answer)).toEqual([
      'HttpOnly',
      'Max-Age=2592000',
      'Path=/',
      'SameSite=Lax',
      'Secure',
    ]);
    const body = await answer.json();
    expect(body).toEqual({ token_type: 'cookie', account: expect.any(Object) });
    expect(JSON.stringify(body)).not.toContain(pairOf(answer).split('=')[1]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('has another name, and is not Secure, on plain http on one machine', async () => {
    await using t = await testApp();
    const answer = await register(t);
    expect(pairOf(answer)).toMatch(/^hutch_session=[\w-]{43}$/);
    expect(attributesOf(answer)).toEqual(['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax']);
  });

  test.each([
    [{ host: '0.0.0.0' }, {}],
    [{ publicUrl: 'http://api.example.com' }, {}],
    [{}, { host: 'hutch.internal' }],
    // proves: 3.3.1
  ])('is refused if it would be sent in the clear: %p %p', async (config, headers) => {
    await using t = await testApp({ config });
    const answer = await register(t, { ...sameOrigin, ...headers });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ errors: [{ path: 'body.transport' }] });
    expect((await login(t, { ...sameOrigin, ...headers })).status).toBe(422);
  });

  // proves: 7.3.2
  test('lasts as long as a session of its role', async () => {
    await using t = await testApp({ config: { sessionDays: 2, adminSessionHours: 3 } });
    await register(t);
    expect(attributesOf(await login(t))).toContain('Max-Age=172800');
    t.deps.db.client.run(`update users set role = 'admin'`);
    expect(attributesOf(await login(t))).toContain('Max-Age=10800');
  });

  // proves: 7.2.2, 7.2.4
  test('is new at each login, whatever cookie the request has', async () => {
    await using s = await signedIn();
    const preset = `hutch_session=${'A'.repeat(43)}`;
    const pairs = [
      s.cookie,
      pairOf(await login(s.t, { ...sameOrigin, cookie: preset })),
      pairOf(await login(s.t, { ...sameOrigin, cookie: s.cookie })),
    ];
    expect(pairs).not.toContain(preset);
    expect(new Set(pairs).size).toBe(3);
    const planted = await send(s.t, 'GET', '/api/v2/users/me', { cookie: preset });
    expect(planted.status).toBe(401);
  });

  // proves: sessions.sign-in-with-a-session-cookie, 7.2.4
  test('ends the session that it replaces, and no other', async () => {
    await using s = await signedIn();
    const elsewhere = pairOf(await login(s.t));
    const next = pairOf(await login(s.t, { ...sameOrigin, cookie: s.cookie }));
    const status = async (cookie: string) =>
      (await send(s.t, 'GET', '/api/v2/users/me', { cookie })).status;
    expect([await status(s.cookie), await status(elsewhere), await status(next)]).toEqual([
      401, 200, 200,
    ]);
    const refused = { ...sameOrigin, cookie: next };
    const wrong = { login: 'ada', password: 'wrong-one', transport: 'cookie' };
    await send(s.t, 'POST', '/api/v2/auth/login', refused, wrong);
    expect(await status(next)).toBe(200);
  });

  describe('that has ended', () => {
    const ended = async () => {
      const s = await signedIn();
      await s.t.json('POST', '/api/v2/items', { title: 'a' }, s.cookie.split('=')[1]);
      s.t.deps.db.client.run('delete from sessions');
      return s;
    };
    const CLEARED = ['hutch_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'];

    test.each([
      '/api/v2/items',
      '/api/v2/items/1',
      '/api/v2/items/1/stats',
      '/api/v2/items/events',
      // proves: sessions.every-request-reads-the-account-so-a-deactivation
    ])('is cleared, and %s responds as to anonymous callers', async (path) => {
      await using s = await ended();
      const answer = await send(s.t, 'GET', path, { cookie: s.cookie });
      const anonymous = await send(s.t, 'GET', path, {});
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, CLEARED]);
      expect(anonymous.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      if (path.endsWith('events')) return;
      expect(await answer.text()).toBe(await anonymous.text());
    });

    test('is also cleared by POST of a view, from any site', async () => {
      await using s = await ended();
      const headers = { cookie: s.cookie, 'sec-fetch-site': 'cross-site' };
      const answer = await send(s.t, 'POST', '/api/v2/items/1/views', headers);
      expect([answer.ok, answer.headers.getSetCookie()]).toEqual([true, CLEARED]);
    });

    test.each([
      ['GET', '/api/v2/users/me'],
      ['GET', '/api/v1/users/1'],
      ['POST', '/api/v2/items'],
      // proves: sessions.every-request-reads-the-account-so-a-deactivation
    ])('is cleared when %s %s is refused', async (method, path) => {
      await using s = await ended();
      const answer = await send(s.t, method, path, { ...sameOrigin, cookie: s.cookie });
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, CLEARED]);
    });

    // proves: sessions.every-request-reads-the-account-so-a-deactivation
    test('can still sign out', async () => {
      await using s = await ended();
      const headers = { ...sameOrigin, cookie: s.cookie };
      const answer = await send(s.t, 'POST', '/api/v2/auth/logout', headers);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([204, CLEARED]);
    });

    test('does not excuse a wrong Authorization header, and then stays', async () => {
      await using s = await ended();
      const headers = { cookie: s.cookie, authorization: 'Bearer wrong' };
      const answer = await send(s.t, 'GET', '/api/v2/items', headers);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
    });

    test('because a sign-in replaced it is not cleared by an earlier request', async () => {
      await using s = await signedIn();
      await login(s.t, { ...sameOrigin, cookie: s.cookie });
      const late = await send(s.t, 'GET', '/api/v2/users/me', { cookie: s.cookie });
      expect([late.status, late.headers.getSetCookie()]).toEqual([401, []]);
    });
  });

  test('is not sent to clients that do not request it', async () => {
    await using t = await testApp();
    const answer = await t.json('POST', '/api/v2/auth/register', ada);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.json()).toMatchObject({ token_type: 'bearer', token: expect.any(String) });
  });

  // proves: 7.4.1, 14.3.1
  test('is deleted by a logout on both sides', async () => {
    await using s = await signedIn(https.config);
    const headers = { ...sameOrigin, cookie: s.cookie };
    const answer = await send(s.t, 'POST', '/api/v2/auth/logout', headers);
    expect(answer.status).toBe(204);
    expect(pairOf(answer)).toBe('__Host-hutch=');
    expect(attributesOf(answer)).toContain('Max-Age=0');
    expect((await send(s.t, 'GET', '/api/v2/users/me', headers)).status).toBe(401);
  });
});

describe('the sender of a cookie', () => {
  test('is identified by it among other cookies', async () => {
    await using s = await signedIn();
    for (const cookie of [s.cookie, `a=b; ${s.cookie}; c=d`, `a=b;${s.cookie}`]) {
      expect((await send(s.t, 'GET', '/api/v2/users/me', { cookie })).status).toBe(200);
    }
  });

  test.each([
    ['another name', (cookie: string) => `x${cookie}`],
    ['a longer name', (cookie: string) => cookie.replace('=', 'x=')],
    ['a wrong value', (cookie: string) => `${cookie.slice(0, -1)}`],
    ['no value', () => 'hutch_session='],
    ['no pair', () => 'hutch_session'],
    ['the name of https', (cookie: string) => cookie.replace('hutch_session', '__Host-hutch')],
  ])('is not identified by %s', async (_, change) => {
    await using s = await signedIn();
    const cookie = change(s.cookie);
    expect((await send(s.t, 'GET', '/api/v2/users/me', { cookie })).status).toBe(401);
  });

  test('is not identified by a personal access token in it', async () => {
    await using t = await testApp();
    const { client } = await t.signUp('ada');
    const { data } = await client.api.v2.tokens.post({
      password: PASSWORD,
      name: 'script',
      scopes: ['users:read'],
    });
    const cookie = `hutch_session=${data?.token}`;
    expect((await send(t, 'GET', '/api/v2/users/me', { cookie })).status).toBe(401);
  });

  test('is identified by the Authorization header if there is one', async () => {
    await using s = await signedIn();
    const bob = await s.t.signUp('bob');
    const headers = { cookie: s.cookie, authorization: `Bearer ${bob.token}` };
    const answer = await send(s.t, 'GET', '/api/v2/users/me', headers);
    expect(await answer.json()).toMatchObject({ username: 'bob' });
    const wrong = { cookie: s.cookie, authorization: 'Bearer wrong' };
    expect((await send(s.t, 'GET', '/api/v2/users/me', wrong)).status).toBe(401);
  });
});

// proves: cookies-and-other-origins.of-this-server, 3.5.1
describe('a change that a cookie authenticates', () => {
  const own = 'https://api.example.com';
  const change = async (headers: object, config: Partial<Config> = https.config) => {
    await using s = await signedIn(config);
    const all = { ...headers, cookie: s.cookie };
    const answer = await send(s.t, 'PATCH', '/api/v2/users/me', all, { username: 'eve' });
    const { code } = (await answer.json()) as { code?: string };
    return code ?? answer.status;
  };

  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ 'sec-fetch-site': 'same-site' }, 'csrf_refused'],
    [{ 'sec-fetch-site': 'cross-site' }, 'csrf_refused'],
    [{ 'sec-fetch-site': '' }, 'csrf_refused'],
    [{ 'sec-fetch-site': 'cross-site', origin: own }, 'csrf_refused'],
    [{ origin: own }, 200],
    [{ origin: 'null' }, 'csrf_refused'],
    [{ origin: 'http://api.example.com' }, 'csrf_refused'],
    [{ origin: 'https://api.example.com.evil.example' }, 'csrf_refused'],
    [{ origin: 'https://evil.example', host: 'api.example.com' }, 'csrf_refused'],
    [{ referer: `${own}/` }, 'csrf_refused'],
    [{}, 'csrf_refused'],
  ])('with %p is %p', async (headers, outcome) => {
    expect(await change(headers)).toBe(outcome);
  });

  // proves: cookies-and-other-origins.of-hutch-cors-origins
  describe('from a listed origin', () => {
    const app = 'https://app.example.net';
    const config = { ...https.config, corsOrigins: [app] };
    test.each([
      [{ origin: app, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 200],
      [{ origin: app, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 200],
      [{ origin: app }, 200],
      [
        { origin: app, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        'csrf_refused',
      ],
      [
        { origin: app, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
        'csrf_refused',
      ],
      [{ origin: app, 'sec-fetch-site': '' }, 'csrf_refused'],
      [{ origin: `${app}.evil.example`, 'sec-fetch-site': 'cross-site' }, 'csrf_refused'],
      [{ origin: 'https://other.example.net', 'sec-fetch-site': 'same-site' }, 'csrf_refused'],
      [{ origin: 'null', 'sec-fetch-site': 'cross-site' }, 'csrf_refused'],
      [{ referer: `${app}/`, 'sec-fetch-site': 'cross-site' }, 'csrf_refused'],
    ])('with %p is %p', async (headers, outcome) => {
      expect(await change(headers, config)).toBe(outcome);
    });

    test.each([
      [{ origin: app, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, 200],
      [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
      [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, 200],
      [{}, 200],
      [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
      [
        {
          origin: 'https://evil.example',
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'cors',
        },
        403,
      ],
      // proves: cookies-and-other-origins.a-listed-page-that-the-browser-reports-as
    ])('reading with %p is %p', async (headers, status) => {
      await using s = await signedIn(config);
      const all = { ...headers, cookie: s.cookie };
      expect((await send(s.t, 'GET', '/api/v2/users/me', all)).status).toBe(status);
    });

    const cors = (site: string) => ({
      origin: app,
      'sec-fetch-site': site,
      'sec-fetch-mode': 'cors',
    });

    test.each([
      ['cross-site', ['Partitioned', 'SameSite=None', 'Secure']],
      ['same-site', ['SameSite=Lax', 'Secure']],
    ])(
      // proves: cookies-and-other-origins.a-listed-page-that-the-browser-reports-as, 3.3.2
      'the cookies for a %s page are %p, also when cleared',
      async (site, marks) => {
        await using t = await testApp({ config });
        await register(t);
        const opened = await login(t, cors(site));
        const headers = { ...cors(site), cookie: pairOf(opened) };
        const ended = await send(t, 'POST', '/api/v2/auth/logout', headers);
        expect([opened.status, ended.status]).toEqual([200, 204]);
        const cookies = [opened, ended].flatMap((answer) => answer.headers.getSetCookie());
        expect(cookies).toHaveLength(3);
        for (const cookie of cookies) {
          const attributes = cookie.split('; ').filter((it) => /^(Same|Sec|Part)/.test(it));
          expect(attributes.sort()).toEqual(marks);
          expect(cookie).toStartWith('__Host-hutch');
        }
      },
    );
  });

  test('on this machine needs the origin of its Host', async () => {
    const host = 'localhost:3000';
    expect(await change({ host, origin: `http://${host}` }, {})).toBe(200);
    expect(await change({ host, origin: 'http://localhost:5173' }, {})).toBe('csrf_refused');
  });

  // proves: 3.5.2
  test('is refused before its body is read; a bearer token needs no check', async () => {
    await using s = await signedIn();
    const headers = { cookie: s.cookie, 'sec-fetch-site': 'cross-site' };
    const bad = await send(s.t, 'PATCH', '/api/v2/users/me', headers, { nonsense: 1 });
    expect(bad.status).toBe(403);
    const bob = await s.t.signUp('bob');
    const bearer = { 'sec-fetch-site': 'cross-site', authorization: `Bearer ${bob.token}` };
    const answer = await send(s.t, 'PATCH', '/api/v2/users/me', bearer, { username: 'robert' });
    expect(answer.status).toBe(200);
  });

  // proves: 3.5.3
  test('is not checked for requests that only read', async () => {
    await using s = await signedIn();
    const headers = { cookie: s.cookie, 'sec-fetch-site': 'cross-site' };
    expect((await send(s.t, 'GET', '/api/v2/users/me', headers)).status).toBe(200);
  });

  // proves: cookies-and-other-origins.of-this-server, 3.5.1, 7.6.2
  test.each(['register', 'login'])('%s itself is refused from another site', async (name) => {
    await using t = await testApp(https);
    const open = name === 'login' ? login : register;
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
      const answer = await open(t, headers);
      expect(await answer.json()).toMatchObject({ code: 'csrf_refused', status: 403 });
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });
});
