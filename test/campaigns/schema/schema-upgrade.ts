import { Database } from 'bun:sqlite';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { upgradeDb } from '../../../src/core/db/db.ts';
import { readCatalog } from '../../../src/core/db/schema/catalog.ts';
import { tempDir } from '../../support.ts';
import { campaign, seededRandom } from '../campaign.ts';
import { OLD } from './declarations.ts';

const CHILD = join(import.meta.dir, 'upgrade-child.ts');

/** Kills the upgrade of a table with -9 at moments from its start to its end. */
export const schemaUpgrade = campaign({
  summary:
    'kill -9 during a schema upgrade: the database is old or new, and the next start completes.',
  options: { kills: 50, rows: 200_000, seed: 1 },
  run: async ({ kills, rows, seed }, say) => {
    const random = seededRandom(seed);
    const dir = tempDir();
    const old = join(dir, 'old.db');
    create(old, rows);
    const full = copy(old, join(dir, 'new.db'));
    const ms = await timeOf(full);
    const states = { [stateOf(old)]: 'old', [stateOf(full)]: 'new' };
    say(`an upgrade of ${rows} rows takes ${Math.round(ms)} ms`);
    const counts = { old: 0, new: 0 };
    const losses: string[] = [];
    for (let kill = 0; kill < kills && losses.length === 0; kill++) {
      const path = copy(old, join(dir, `${kill}.db`));
      // One in each part of the time, and some after the commit.
      const afterMs = ((kill + random()) / kills) * ms * 1.1;
      await killAfter(path, afterMs);
      const found = states[stateOf(path)];
      if (found === 'old' || found === 'new') counts[found]++;
      else losses.push(`after ${Math.round(afterMs)} ms the database was neither old nor new`);
      await timeOf(path);
      if (states[stateOf(path)] !== 'new') {
        losses.push(`after a kill at ${Math.round(afterMs)} ms the next start did not complete`);
      }
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
      if (kill % 10 === 9) say(`${kill + 1} kills: ${counts.old} old, ${counts.new} new`);
    }
    rmSync(dir, { recursive: true });
    return { figures: { kills, 'ms of an upgrade': Math.round(ms), ...counts }, losses };
  },
});

function create(path: string, rows: number): void {
  upgradeDb(path, OLD);
  using client = new Database(path);
  client.run(
    `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${rows})
     insert into notes (title, color)
     select 'Note ' || n, 'red' from numbers`,
  );
  client.run('pragma wal_checkpoint(truncate)');
}

function copy(from: string, to: string): string {
  copyFileSync(from, to);
  return to;
}

function start(path: string) {
  return Bun.spawn([process.execPath, CHILD, path], { stdout: 'inherit', stderr: 'inherit' });
}

/** Runs an upgrade to its end and returns its time. */
async function timeOf(path: string): Promise<number> {
  const begin = performance.now();
  await start(path).exited;
  return performance.now() - begin;
}

async function killAfter(path: string, ms: number): Promise<void> {
  const child = start(path);
  await Bun.sleep(ms);
  child.kill('SIGKILL');
  await child.exited;
}

/** The definitions, apart from their form, and all rows, as a hash; the problem of a damaged file. */
function stateOf(path: string): string {
  using client = new Database(path);
  const integrity = client.query('pragma integrity_check').values().flat().join();
  if (integrity !== 'ok') return integrity;
  const objects = client.query('select type, name from sqlite_master order by name').values();
  const catalog = readCatalog(client);
  const hash = new Bun.CryptoHasher('sha256').update(JSON.stringify(objects));
  for (const [type, name] of objects as [string, string][]) {
    const shape = type === 'table' ? catalog.table(name) : undefined;
    hash.update(JSON.stringify({ ...shape, sql: '', isStrict: true, isTyped: true }));
    if (!shape) continue;
    for (const row of client.query(`select * from "${name}"`).values()) {
      hash.update(JSON.stringify(row));
    }
  }
  return hash.digest('hex');
}
