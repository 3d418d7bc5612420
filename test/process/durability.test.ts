import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tempDir } from '../support.ts';
import { ADMIN, type RunningHutch, serve } from './hutch.ts';

const TRIALS = 20;
const WRITERS = 8;

test(`8 writers killed with -9 lose nothing acknowledged, ${TRIALS} times`, async () => {
  const dir = tempDir();
  const acknowledged = new Set<string>();
  let sent = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const server = await serve(dir, { env: { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' } });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
      writeUntilKilled(server, token, `${trial}.${writer}`, acknowledged),
    );
    await Bun.sleep(60 + Math.random() * 200);
    server.kill('SIGKILL');
    sent += (await Promise.all(writers)).reduce((sum, count) => sum + count, 0);
    await server.exited;
    expectAllStored(dir, acknowledged);
  }
  expect(acknowledged.size).toBeGreaterThan(TRIALS * WRITERS);
  expect(sent - acknowledged.size).toBeLessThanOrEqual(TRIALS * WRITERS);
}, 120_000);

/** Gives how many items were sent; each that was answered is in `acknowledged`. */
async function writeUntilKilled(
  server: RunningHutch,
  token: string,
  name: string,
  acknowledged: Set<string>,
): Promise<number> {
  const client = server.clientFor(token);
  for (let count = 0; ; count++) {
    const title = `${name}.${count}`;
    const { data } = await client.api.v1.items.post({ title }).catch(() => ({ data: null }));
    if (!data) return count + 1;
    acknowledged.add(title);
  }
}

function expectAllStored(dir: string, acknowledged: Set<string>): void {
  const db = new Database(join(dir, 'hutch.db'));
  expect(db.query('pragma integrity_check').values()).toEqual([['ok']]);
  const stored = new Set(
    db
      .query('select title from items')
      .values()
      .map(([title]) => title),
  );
  db.close();
  expect([...acknowledged].filter((title) => !stored.has(title))).toEqual([]);
}
