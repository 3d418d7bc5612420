import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { until } from '../../until.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
const TRIALS = 6;
const WRITERS = 8;

test(`counting by If-Match, killed with -9, loses nothing and counts nothing twice, ${TRIALS} times`, async () => {
  const dir = tempDir();
  await prepare(dir);
  let answered = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const server = await serve(dir, { env: ENV });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const write = async () => {
      for (;;) if (await countOne(server, token)) answered++;
    };
    const ended = Promise.allSettled(Array.from({ length: WRITERS }, write));
    const before = answered;
    await until(() => answered > before);
    await Bun.sleep(Math.random() * 250);
    server.kill('SIGKILL');
    await ended;
    await server.exited;
  }
  using db = new Database(join(dir, 'hutch.db'));
  const [count, version] = db
    .query(`select json_extract(data, '$.n'), version from items`)
    .values()[0] as [number, number];
  expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
  expect(answered).toBeGreaterThanOrEqual(TRIALS);
  expect(count).toBeGreaterThanOrEqual(answered);
  // A request in progress when the server died may have been applied: one per writer and trial.
  expect(count).toBeLessThanOrEqual(answered + TRIALS * WRITERS);
  expect(version).toBe(count + 1);
  const versions = db.query('select version from item_revisions order by version').values().flat();
  // An item keeps at least its last 200 changes.
  expect(versions.length).toBeGreaterThanOrEqual(Math.min(count, 200));
  const first = version - versions.length + 1;
  expect(versions).toEqual(versions.map((_, index) => first + index));
}, 120_000);

async function prepare(dir: string): Promise<void> {
  await using server = await serve(dir, { env: ENV });
  const client = server.clientFor(await server.signIn(ADMIN.username, ADMIN.password));
  await client.api.v2.items.post({ title: 'a', data: { n: 0 } });
  await server.stop();
}

/** Reads the counter and writes it plus one; returns false if another writer was faster. */
async function countOne({ url }: RunningHutch, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  const read = await fetch(`${url}/api/v2/items/1`, { headers });
  const { data } = (await read.json()) as { data: { n: number } };
  const response = await fetch(`${url}/api/v2/items/1`, {
    method: 'PATCH',
    headers: {
      ...headers,
      'content-type': 'application/json',
      'if-match': read.headers.get('etag') ?? '',
    },
    body: JSON.stringify({ data: { n: data.n + 1 } }),
  });
  await response.text();
  if (response.status !== 200 && response.status !== 412) throw new Error(String(response.status));
  return response.status === 200;
}
