import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, type RunningHutch, serve } from '../hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
const ROWS = 20_000;
const BODY = Array.from({ length: ROWS }, (_, index) => `{"title":"Item ${index}"}\n`).join('');

async function started(dir: string) {
  const server = await serve(dir, { env: ENV });
  return { server, token: await server.signIn(ADMIN.username, ADMIN.password) };
}

function send({ server, token }: { server: RunningHutch; token: string }) {
  return fetch(`${server.url}/api/v2/items/import`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/x-ndjson',
      'idempotency-key': 'nightly',
    },
    body: BODY,
  });
}

function titles(dir: string, select: string): number {
  using db = new Database(join(dir, 'hutch.db'));
  db.run('pragma busy_timeout = 5000');
  return Number(db.query(`select ${select} from items`).values()[0]?.[0]);
}

test('an import killed with -9 continues with its key, and creates each row once', async () => {
  const dir = tempDir();
  for (const atLeast of [1, 8_000]) {
    const it = await started(dir);
    const sent = send(it).then(
      () => 'done',
      () => 'cut',
    );
    while (titles(dir, 'count(*)') < atLeast) await Bun.sleep(2);
    it.server.kill('SIGKILL');
    expect(await sent).toBe('cut');
    await it.server.exited;
  }
  const before = titles(dir, 'count(*)');
  expect([before >= 8_000, before < ROWS]).toEqual([true, true]);
  const last = await started(dir);
  await using _ = last.server;
  const first = await send(last);
  expect(await first.json()).toEqual({ created: ROWS, failed: 0, dry_run: false, errors: [] });
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(titles(dir, 'count(distinct title)')).toBe(ROWS);
  expect(titles(dir, 'count(*)')).toBe(ROWS);
  const repeat = await send(last);
  expect(repeat.headers.get('idempotency-replayed')).toBe('true');
  expect(await repeat.json()).toMatchObject({ created: ROWS });
  expect(titles(dir, 'count(*)')).toBe(ROWS);
}, 60_000);
