import { describe, expect, setSystemTime, spyOn, test } from 'bun:test';
import { type RateLimiterAbstract, RateLimiterMemory } from 'rate-limiter-flexible';
import { createApp } from '../../../src/app.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { type Count, createLimit, createLimits } from '../../../src/core/limits.ts';
import { atOnce, openSession, PASSWORD, testApp } from '../../support.ts';

/** An application that listens, and believes who asks about where they come from. */
async function listening(config: Partial<Config>) {
  const t = await testApp({ config: { trustedProxies: ['127.0.0.1'], ...config } });
  t.app.listen({ port: 0, hostname: '127.0.0.1', development: false });
  const url = t.app.server?.url.origin ?? '';
  const from = (address: string, path = '/api/v1/items/', init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { ...init.headers, 'x-forwarded-for': address },
    });
  return {
    ...t,
    from,
    [Symbol.asyncDispose]: async () => {
      await t.app.stop(true);
      await t[Symbol.asyncDispose]();
    },
  };
}

type Listening = Awaited<ReturnType<typeof listening>>;

/** The statuses of `count` requests one after another. */
async function statuses(count: number, send: (index: number) => Promise<Response>) {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await send(index)).status);
  return seen;
}

const signUp = (t: Listening, version: 1 | 2, name: string, address = '203.0.113.7') =>
  t.from(address, version === 1 ? '/api/v1/users/' : '/api/v2/auth/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: `${name}@example.com`,
      username: name,
      password: 'straw-bed-77',
    }),
  });

/** A store that is out of the process: its counts have to be waited for. */
function remote(max: number): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ points: max, duration: 10 });
  const penalty = async (key: string, points: number) => {
    await Bun.sleep(1);
    return memory.penalty(key, points);
  };
  return { penalty } as unknown as RateLimiterAbstract;
}

const TOKEN = { name: 'laptop', scopes: ['users:read'], expires_in_days: 1, password: PASSWORD };

describe('the general limit', () => {
  // proves: limits.requests-per-address-in-10-s, 2.4.1
  test('admits the configured number of requests per address and no more', async () => {
    await using t = await listening({ limitRequests: 3 });
    expect(await statuses(5, () => t.from('203.0.113.7'))).toEqual([200, 200, 200, 429, 429]);
    expect((await t.from('203.0.113.8')).status).toBe(200);
  });

  // proves: limits.requests-per-address-in-10-s, 2.3.2
  test('holds for 50 concurrent requests', async () => {
    await using t = await listening({ limitRequests: 20 });
    const answers = await atOnce(50, () => t.from('203.0.113.7'));
    const served = answers.filter((it) => it.status === 'fulfilled' && it.value.status === 200);
    expect(served).toHaveLength(20);
  });

  // proves: limits.limits-count-per-account-and-per-address-ipv6
  test('counts a /64 as one client, and an IPv4 address in all its forms', async () => {
    await using t = await listening({ limitRequests: 2 });
    const rotating = await statuses(4, (index) => t.from(`2001:db8:1:2::${index + 1}`));
    expect(rotating).toEqual([200, 200, 429, 429]);
    expect((await t.from('2001:db8:1:3::1')).status).toBe(200);
    const spellings = ['203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107'];
    expect(await statuses(3, (index) => t.from(spellings[index] ?? ''))).toEqual([200, 200, 429]);
  });

  test('cannot be bypassed by an X-Forwarded-For of the client', async () => {
    await using t = await listening({ limitRequests: 2 });
    const behind = await statuses(4, (index) => t.from(`198.51.100.${index}, 203.0.113.7`));
    expect(behind).toEqual([200, 200, 429, 429]);
    await using direct = await listening({ limitRequests: 2, trustedProxies: [] });
    const spoofed = await statuses(4, (index) => direct.from(`198.51.100.${index}`));
    expect(spoofed).toEqual([200, 200, 429, 429]);
  });

  test('also counts refused requests and missing paths', async () => {
    await using t = await listening({ limitRequests: 3 });
    const paths = ['/nowhere', '/api/v2/users/me', '/api/v1/items/x', '/api/v1/items/'];
    const seen = await statuses(4, (index) => t.from('203.0.113.7', paths[index]));
    expect(seen).toEqual([404, 401, 422, 429]);
  });

  // proves: limits.limits-count-per-account-and-per-address-ipv6
  test('sends Retry-After, in the form of the version', async () => {
    await using t = await listening({ limitRequests: 1 });
    await t.from('203.0.113.7');
    const v2 = await t.from('203.0.113.7', '/api/v2/system/version');
    expect(v2.headers.get('ratelimit-policy')).toBe('"api";q=1;w=10');
    expect(v2.headers.get('ratelimit')).toMatch(/^"api";r=0;t=([1-9]|10)$/);
    expect(Number(v2.headers.get('retry-after'))).toBeWithin(1, 11);
    expect(await v2.json()).toMatchObject({ status: 429, code: 'too_many_requests' });
    const v1 = await t.from('203.0.113.7');
    expect(v1.headers.get('ratelimit-policy')).toBe('"api";q=1;w=10');
    expect(await v1.json()).toEqual({ detail: 'Too many requests, try again later' });
  });

  test('shows v2 clients how many requests remain', async () => {
    await using t = await listening({});
    await t.from('203.0.113.7', '/api/v2/system/version');
    const { headers } = await t.from('203.0.113.7', '/api/v2/users/me');
    expect(headers.get('ratelimit-policy')).toBe('"api";q=3000;w=10');
    expect(headers.get('ratelimit')).toMatch(/^"api";r=2998;t=([1-9]|10)$/);
    const v1 = await t.from('203.0.113.7', '/api/v1/items/');
    expect(v1.headers.get('ratelimit')).toBeNull();
  });

  test('never refuses health checks', async () => {
    await using t = await listening({ limitRequests: 1 });
    const seen = await statuses(5, () => t.from('203.0.113.7', '/health/ready'));
    expect(seen).toEqual([200, 200, 200, 200, 200]);
  });

  test('lets a page of a listed origin read the refusal', async () => {
    const origin = 'https://app.example.com';
    await using t = await listening({ limitRequests: 1, corsOrigins: [origin] });
    const asked = {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    };
    expect((await t.from('203.0.113.7', '/api/v1/items/', asked)).status).toBe(204);
    const refused = await t.from('203.0.113.7', '/api/v1/items/', { headers: { origin } });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test('does nothing if it is off or without a connection', async () => {
    await using off = await listening({ limitRequests: 1, limitSignUps: 1, rateLimit: 'off' });
    expect(await statuses(3, () => off.from('203.0.113.7'))).toEqual([200, 200, 200]);
    expect((await off.from('203.0.113.7', '/api/v2/system/version')).headers.get('ratelimit')).toBe(
      null,
    );
    expect(await statuses(2, (index) => signUp(off, 1, `user${index}`))).toEqual([200, 200]);
    await using bare = await testApp({ config: { limitRequests: 1 } });
    expect(await statuses(3, () => bare.request('GET', '/health/live'))).toEqual([200, 200, 200]);
  });
});

describe('the limit of an account', () => {
  const as = (t: Listening, token: string, index: number, path = '/api/v2/users/me') =>
    t.from(`203.0.113.${index}`, path, { headers: { authorization: `Bearer ${token}` } });

  // proves: limits.requests-per-account-in-10-s, 2.4.1
  test('holds for 50 concurrent requests from all addresses, for that account only', async () => {
    await using t = await listening({ limitUserRequests: 20 });
    const [ada, bob] = [await t.signUp('ada'), await t.signUp('bob')];
    const answers = await atOnce(50, (index) => as(t, ada.token, index));
    const seen = answers.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
    expect(seen.filter((status) => status === 200)).toHaveLength(20);
    expect(seen.filter((status) => status === 429)).toHaveLength(30);
    expect((await as(t, bob.token, 1)).status).toBe(200);
  });

  // proves: limits.requests-per-account-in-10-s
  test('is shared by its sessions and tokens in both versions', async () => {
    await using t = await listening({ limitUserRequests: 3 });
    const ada = await t.signUp('ada');
    const second = await openSession(t.deps, ada);
    const made = await t.json('POST', '/api/v2/tokens', TOKEN, ada.token);
    const { token } = (await made.json()) as { token: string };
    expect((await as(t, second, 1)).status).toBe(200);
    expect((await as(t, token, 2, `/api/v1/users/${ada.id}`)).status).toBe(200);
    const refused = await Promise.all([ada.token, second, token].map((it) => as(t, it, 3)));
    expect(refused.map(({ status }) => status)).toEqual([429, 429, 429]);
    expect(refused[0]?.headers.get('ratelimit-policy')).toBe('"user";q=3;w=10');
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeWithin(1, 11);
  });

  test('counts forbidden requests', async () => {
    await using t = await listening({ limitUserRequests: 2 });
    const { token } = await t.signUp('ada');
    const seen = await statuses(3, (index) => as(t, token, index, '/api/v2/system/stats'));
    expect(seen).toEqual([403, 403, 429]);
  });

  test('is shown to v2 clients if it is the tighter one', async () => {
    await using t = await listening({ limitRequests: 10, limitUserRequests: 5 });
    const { id, token } = await t.signUp('ada');
    const told = async (index: number) => (await as(t, token, index)).headers.get('ratelimit');
    expect(await told(1)).toStartWith('"user";r=4;');
    await statuses(8, () => t.from('203.0.113.2'));
    expect(await told(2)).toStartWith('"api";r=1;');
    const v1 = await as(t, token, 1, `/api/v1/users/${id}`);
    expect(v1.headers.get('ratelimit')).toBeNull();
  });

  test('is awaited if its store is remote', async () => {
    await using t = await testApp();
    const { token } = await t.signUp('ada');
    const userRequests = createLimit('user', 1, 10, remote(1));
    const limits = { ...createLimits(t.deps.config), userRequests };
    const app = createApp({ ...t.deps, limits });
    const headers = { authorization: `Bearer ${token}` };
    const seen = await statuses(2, () =>
      app.handle(new Request('http://localhost/api/v2/users/me', { headers })),
    );
    expect(seen).toEqual([200, 429]);
  });
});

describe('the limit on sign-ups', () => {
  // proves: limits.sign-ups-per-address-in-an-hour, 2.4.1
  test('counts v1 and v2 together, by address', async () => {
    await using t = await listening({ limitSignUps: 2 });
    expect((await signUp(t, 1, 'ada')).status).toBe(200);
    expect((await signUp(t, 2, 'bob')).status).toBe(201);
    expect((await signUp(t, 1, 'carol')).status).toBe(429);
    const refused = await signUp(t, 2, 'carol');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toBe('"sign-ups";q=2;w=3600');
    expect(Number(refused.headers.get('retry-after'))).toBeWithin(3590, 3601);
    expect((await signUp(t, 2, 'carol', '203.0.113.8')).status).toBe(201);
  });

  // proves: limits.sign-ups-per-address-in-an-hour
  test('counts failures, so that nobody can probe for accounts', async () => {
    await using t = await listening({ limitSignUps: 3 });
    const seen = await statuses(5, () => signUp(t, 1, 'ada'));
    expect(seen).toEqual([200, 400, 400, 429, 429]);
  });

  test('does not apply to admins while registration is closed', async () => {
    await using t = await listening({ limitSignUps: 1, registration: 'closed' });
    const { token } = await t.signUp('root', 'admin');
    const create = (name: string) =>
      t.from('203.0.113.7', '/api/v1/users/', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ email: `${name}@example.com`, username: name, password: PASSWORD }),
      });
    expect(await statuses(3, (index) => create(`user${index}`))).toEqual([200, 200, 200]);
  });
});

describe('the limit on outside URLs', () => {
  // proves: limits.outside-calls-in-a-minute-per-account-or
  test('counts each URL of a request', async () => {
    await using t = await listening({ limitExternal: 3 });
    const { token } = await t.signUp('ada');
    const url = 'url=http://127.0.0.1/';
    const ask = (path: string) =>
      t.from('203.0.113.7', path, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(`/api/v1/external/?${url}&${url}1`)).status).toBe(502);
    expect((await ask(`/api/v1/external/?${url}&${url}1`)).status).toBe(429);
  });

  // proves: limits.outside-calls-in-a-minute-per-account-or, 2.4.1
  test('counts an account across all addresses', async () => {
    await using t = await listening({ limitExternal: 2 });
    const [ada, bob] = [await t.signUp('ada'), await t.signUp('bob')];
    const ask = (token: string, index: number) =>
      t.from(`203.0.113.${index}`, '/api/v1/external/?url=http://127.0.0.1/', {
        headers: { authorization: `Bearer ${token}` },
      });
    const seen = await statuses(4, (index) => ask(ada.token, index));
    expect(seen.map((status) => status === 429)).toEqual([false, false, true, true]);
    expect((await ask(bob.token, 1)).status).not.toBe(429);
  });
});

describe('a limit', () => {
  test('counts synchronously in this process', () => {
    const limit = createLimit('api', 1, 10);
    expect(limit.count('a')).toEqual({ isOver: false, remaining: 0, resetSeconds: 10 });
    expect(limit.count('a')).toMatchObject({ isOver: true, remaining: 0 });
    expect(limit.count('b')).toMatchObject({ isOver: false });
  });

  test('never reports more seconds than its window has', () => {
    using clock = spyOn(performance, 'now');
    const limit = createLimit('api', 1, 10);
    const reported = Array.from({ length: 1000 }, (_, index) => {
      clock.mockReturnValue(6_400.1 + index * 0.37);
      return limit.count(`${index}`) as Count;
    });
    expect(new Set(reported.map(({ resetSeconds }) => resetSeconds))).toEqual(new Set([10]));
  });

  test.each([-7_200_000, 7_200_000])('does not depend on the wall clock (%d ms)', (changeMs) => {
    const limit = createLimit('api', 1, 10);
    void limit.count('a');
    setSystemTime(Date.now() + changeMs);
    expect(limit.count('a')).toEqual({ isOver: true, remaining: 0, resetSeconds: 10 });
    setSystemTime();
  });

  test('starts again when its window ends', async () => {
    const limit = createLimit('api', 1, 0.02);
    expect(limit.count('a')).toMatchObject({ isOver: false });
    expect(limit.count('a')).toMatchObject({ isOver: true });
    await Bun.sleep(30);
    expect(limit.count('a')).toMatchObject({ isOver: false });
  });

  test('can count in another store', async () => {
    const limit = createLimit('api', 1, 10, remote(1));
    expect(limit.isLocal).toBe(false);
    expect(await limit.count('a')).toEqual({ isOver: false, remaining: 0, resetSeconds: 10 });
    expect(await limit.count('a')).toMatchObject({ isOver: true });
  });

  test('of requests is awaited if its store is remote', async () => {
    await using t = await testApp();
    const requests = createLimit('api', 1, 10, remote(1));
    const limits = { ...createLimits(t.deps.config), requests };
    const app = createApp({ ...t.deps, limits }).listen({ port: 0, hostname: '127.0.0.1' });
    const url = `${app.server?.url.origin}/api/v2/system/version`;
    const seen = await statuses(2, () => fetch(url));
    await app.stop(true);
    expect(seen).toEqual([200, 429]);
  });
});
