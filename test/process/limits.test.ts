import { describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { atOnce, tempDir } from '../support.ts';
import { ADMIN, type RunningHutch, serve } from './hutch.ts';

const PUBLIC = '/api/v1/items/';

/** Returns the statuses of `count` sequential requests. */
async function statuses(count: number, send: (index: number) => Promise<Response>) {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await send(index)).status);
  return seen;
}

const from = ({ url }: RunningHutch, forwarded: string) =>
  fetch(`${url}${PUBLIC}`, { headers: { 'x-forwarded-for': forwarded } });

function signIn({ url }: RunningHutch, username: string, password: string): Promise<Response> {
  const body = new URLSearchParams({ username, password });
  return fetch(`${url}/api/v1/login/access-token`, { method: 'POST', body });
}

const messages = ({ lines }: RunningHutch, level: string) =>
  lines.filter((line) => line['level'] === level).map((line) => String(line['message']));

/** Sends raw bytes and returns the statuses received within a moment. */
function rawStatuses({ url }: RunningHutch, text: string): Promise<number[]> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let response = '';
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text));
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (chunk) => {
      response += chunk.toString('latin1');
    });
    socket.on('close', () =>
      resolve([...response.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))),
    );
  });
}

describe('a real server', () => {
  test('limits an address even if it forges X-Forwarded-For', async () => {
    await using server = await serve(tempDir(), { env: { HUTCH_LIMIT_REQUESTS: '5' } });
    const seen = await statuses(8, (index) => from(server, `203.0.113.${index}`));
    expect(seen).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    const refused = await fetch(`${server.url}/api/v2/system/version`);
    expect(refused.headers.get('ratelimit-policy')).toBe('"api";q=5;w=10');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test.each(['203.0.113.N:5000', '[2001:db8:0:N::1]', '[2001:db8:0:N::1]:5000'])(
    // proves: 4.1.3
    'distinguishes clients behind a proxy that sends %s',
    async (form) => {
      const env = { HUTCH_LIMIT_REQUESTS: '2', HUTCH_TRUSTED_PROXIES: '127.0.0.1' };
      await using server = await serve(tempDir(), { env });
      const seen = await statuses(6, (index) => from(server, form.replace('N', String(index))));
      expect(seen).toEqual([200, 200, 200, 200, 200, 200]);
      expect(messages(server, 'warn')).toEqual([]);
    },
  );

  // proves: 4.1.3
  test('warns once if a trusted proxy sends an entry that is not an address', async () => {
    const env = { HUTCH_TRUSTED_PROXIES: '127.0.0.1' };
    await using server = await serve(tempDir(), { env });
    for (const entry of ['203.0.113.1:50001', 'unknown', 'unknown', '_hidden']) {
      await from(server, entry);
    }
    const warnings = server.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([{ proxy: '127.0.0.1', entry: 'unknown' }]);
  });

  test('does not warn about the header of an untrusted peer', async () => {
    await using server = await serve(tempDir());
    await from(server, 'unknown');
    expect(messages(server, 'warn')).toEqual([]);
  });

  test('counts each of many pipelined requests', async () => {
    await using server = await serve(tempDir(), { env: { HUTCH_LIMIT_REQUESTS: '30' } });
    const request = `GET ${PUBLIC} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const seen = await rawStatuses(server, request.repeat(100));
    expect(seen.filter((status) => status === 200)).toHaveLength(30);
    expect(seen.filter((status) => status === 429)).toHaveLength(70);
  });

  // proves: limits.limits-count-per-account-and-per-address-ipv6, 15.3.4
  test('uses the address from a trusted proxy, and counts a /64 as one client', async () => {
    const env = { HUTCH_LIMIT_REQUESTS: '2', HUTCH_TRUSTED_PROXIES: '127.0.0.0/8' };
    await using server = await serve(tempDir(), { env });
    const rotating = await statuses(4, (index) => from(server, `2001:db8:1:2::${index + 1}`));
    expect(rotating).toEqual([200, 200, 429, 429]);
    expect((await from(server, '2001:db8:1:3::1')).status).toBe(200);
    const spoofed = await statuses(4, (index) => from(server, `198.51.100.${index}, 203.0.113.7`));
    expect(spoofed).toEqual([200, 200, 429, 429]);
  });

  // proves: costly-work.hashing-a-password-19-mib-a-core, 6.3.1
  test('checks few of 50 concurrent wrong passwords, and then refuses the correct one', async () => {
    await using server = await serve(tempDir(), { env: ADMIN.env });
    const results = await atOnce(50, () => signIn(server, ADMIN.username, 'wrong-password'));
    const seen = results.map((it) => (it.status === 'fulfilled' ? it.value.status : 0));
    expect(seen.filter((status) => status === 400).length).toBeWithin(1, 6);
    expect(new Set(seen)).toEqual(new Set([400, 429]));
    const right = await signIn(server, ADMIN.username, ADMIN.password);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('limits sign-ups in both versions together', async () => {
    await using server = await serve(tempDir(), { env: { HUTCH_LIMIT_SIGN_UPS: '2' } });
    const seen = await statuses(4, (index) =>
      fetch(`${server.url}/api/${index % 2 === 0 ? 'v1/users/' : 'v2/auth/register'}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          email: `user${index}@example.com`,
          username: `user${index}`,
          password: 'straw-bed-77',
        }),
      }),
    );
    expect(seen).toEqual([200, 201, 429, 429]);
  });

  test('warns if limits are off, and only then', async () => {
    await using off = await serve(tempDir(), {
      env: { HUTCH_RATE_LIMIT: 'off', HUTCH_LIMIT_REQUESTS: '1' },
    });
    expect(messages(off, 'warn').join()).toContain('HUTCH_RATE_LIMIT');
    expect(await statuses(3, () => fetch(`${off.url}${PUBLIC}`))).toEqual([200, 200, 200]);
    await using on = await serve(tempDir());
    expect(messages(on, 'warn')).toEqual([]);
  });

  test('serves only its own host if it has a public URL', async () => {
    const env = { HUTCH_PUBLIC_URL: 'https://api.example.com' };
    await using server = await serve(tempDir(), { env });
    const request = (host: string) =>
      rawStatuses(server, `GET ${PUBLIC} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect(await request('api.example.com')).toEqual([200]);
    expect(await request('evil.example')).toEqual([421]);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  });

  test('keeps a browser signed in by its cookie until it signs out', async () => {
    await using server = await serve(tempDir(), { env: ADMIN.env });
    const own = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
    const opened = await fetch(`${server.url}/api/v2/auth/login`, {
      method: 'POST',
      headers: own,
      body: JSON.stringify({
        login: ADMIN.username,
        password: ADMIN.password,
        transport: 'cookie',
      }),
    });
    const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(cookie).toStartWith('hutch_session=');
    const me = () => fetch(`${server.url}/api/v2/users/me`, { headers: { cookie } });
    const logout = (site: string) =>
      fetch(`${server.url}/api/v2/auth/logout`, {
        method: 'POST',
        headers: { cookie, 'sec-fetch-site': site },
      });
    expect((await me()).status).toBe(200);
    expect((await logout('cross-site')).status).toBe(403);
    expect((await logout('same-origin')).status).toBe(204);
    expect((await me()).status).toBe(401);
  });
});
