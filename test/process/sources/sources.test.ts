import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { SECRET, upstream } from '../../sources.ts';
import { tempDir } from '../../support.ts';
import { ADMIN, serve } from '../hutch.ts';

test('a restarted server refreshes its sources, and its counts persist', async () => {
  await using up = upstream(() => Response.json({ rabbits: 2 }));
  const dir = tempDir();
  const env = { ...ADMIN.env, HUTCH_EXTERNAL_ALLOW_HOSTS: up.host };
  const source = {
    name: 'up',
    base_url: up.url,
    access: 'public',
    headers: { 'x-key': { secret: SECRET } },
    ttl_seconds: 3600,
    stale_seconds: 3600,
    refresh: '0 0 1 1 *',
  };
  {
    await using server = await serve(dir, { env });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(source) };
    expect((await fetch(`${server.url}/api/v2/sources`, init)).status).toBe(201);
    const response = await fetch(`${server.url}/api/v2/sources/up`);
    expect(await response.json()).toEqual({ rabbits: 2 });
    expect(await server.stop()).toBe(0);
  }
  const counted = countIn(dir);
  expect(counted).toBeGreaterThan(0);
  const before = up.asked.length;
  {
    await using server = await serve(dir, { env });
    while (up.asked.length === before) await Bun.sleep(50);
    expect(up.asked.at(-1)?.headers.get('x-key')).toBe(SECRET);
    while ((await fetch(`${server.url}/api/v2/sources/up`)).headers.get('x-cache') !== 'hit');
    expect(up.asked.length).toBe(before + 1);
    expect(await server.stop()).toBe(0);
  }
  expect(countIn(dir)).toBeGreaterThan(counted);
}, 60_000);

// proves: limits.outside-calls-in-a-minute-per-account-or
test('anonymous calls of a public source are limited by address, separately from those of accounts', async () => {
  await using up = upstream(() => Response.json(1));
  const own = { HUTCH_EXTERNAL_ALLOW_HOSTS: up.host, HUTCH_LIMIT_EXTERNAL: '2' };
  await using server = await serve(tempDir(), { env: { ...ADMIN.env, ...own } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const headers = { authorization: `Bearer ${token}` };
  await fetch(`${server.url}/api/v2/sources`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'up', base_url: up.url, access: 'public' }),
  });
  const call = async (init = {}) => (await fetch(`${server.url}/api/v2/sources/up`, init)).status;
  expect([await call(), await call(), await call()]).toEqual([200, 200, 429]);
  expect(await call({ headers })).toBe(200);
  expect(up.asked).toHaveLength(3);
}, 60_000);

function countIn(dir: string): number {
  using db = new Database(join(dir, 'hutch.db'), { readonly: true });
  const row = db.query('select sum(count) as n from source_calls').get() as { n: number | null };
  return row.n ?? 0;
}
