import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { leaks } from '../../leaks.ts';
import { tempDir } from '../../support.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
const PASSWORD = 'beets-and-barley';
leaks.learn(PASSWORD);
const ITEMS = 6000;

// proves: data.and-their-rows
test('an account whose deletion is killed with -9 stays hidden and is erased after the next start', async () => {
  const dir = tempDir();
  const left = () => Number(query(dir, 'select count(*) from items where owner_id <> 1')[0]);
  {
    await using server = await serve(dir, { env: ENV });
    const client = await withItems(server);
    expect((await client.api.v2.users.me.delete({ password: PASSWORD })).status).toBe(204);
    while (left() === ITEMS) await Bun.sleep(2);
    server.kill('SIGKILL');
    await server.exited;
  }
  expect(left()).toBeWithin(1, ITEMS);
  await using server = await serve(dir, { env: ENV });
  const list = await server.clientFor().api.v2.items.get({ query: { count: 'exact' } });
  expect([list.data?.data, list.data?.total]).toEqual([[], 0]);
  while (query(dir, 'select count(*) from users')[0] !== 1) await Bun.sleep(20);
  expect(query(dir, 'select id from items')).toEqual([]);
  expect(query(dir, 'pragma foreign_key_check')).toEqual([]);
  expect(query(dir, 'pragma integrity_check')).toEqual(['ok']);
  expect(server.lines.filter(({ level }) => level === 'error')).toEqual([]);
}, 60_000);

/** Returns the client of an account with ITEMS public items. */
async function withItems(server: RunningHutch) {
  const names = { email: 'ada@example.com', username: 'ada' };
  await server.clientFor().api.v2.auth.register.post({ ...names, password: PASSWORD });
  const token = await server.signIn('ada', PASSWORD);
  const line = `${JSON.stringify({ title: 'many', description: 'word '.repeat(200) })}\n`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
  const body = line.repeat(ITEMS);
  await fetch(`${server.url}/api/v2/items/import`, { method: 'POST', headers, body });
  return server.clientFor(token);
}

function query(dir: string, text: string): unknown[] {
  using db = new Database(join(dir, 'hutch.db'));
  db.run('pragma busy_timeout = 5000');
  return db.query(text).values().flat();
}
