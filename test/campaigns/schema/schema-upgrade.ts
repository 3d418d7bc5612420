import { Database } from 'bun:sqlite';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCatalog } from '../../../src/core/db/schema/catalog.ts';
import { COMMAND } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';
import { campaign, seededRandom } from '../campaign.ts';
import { createNew, createOld } from './notes.ts';

/** Kills the upgrade of a resource with -9 at moments from its start to its end. */
export const schemaUpgrade = campaign({
  summary: 'kill -9 during a schema upgrade: old or new, and the next start completes it.',
  options: { kills: 50, rows: 200_000, seed: 1 },
  run: async ({ kills, rows, seed }, say) => {
    const random = seededRandom(seed);
    const dir = tempDir();
    const old = join(dir, 'old');
    await createOld(old, rows);
    const upgrade = createUpgrade((await createNew(old)).dir);
    const complete = copyOf(old, join(dir, 'new'));
    let ms = await upgrade.timeOf(complete);
    const states = new Map([
      [stateOf(old), 'old'],
      [stateOf(complete), 'new'],
    ]);
    say(`an upgrade of ${rows} rows takes ${Math.round(ms)} ms`);
    const found: (string | undefined)[] = [];
    const losses: string[] = [];
    for (let kill = 0; kill < kills && losses.length === 0; kill++) {
      const dataDir = copyOf(old, join(dir, String(kill)));
      // One in each part of the time, and some after the commit.
      const part = (kill + random()) / kills;
      const afterMs = Math.round(part * ms * 1.2);
      await upgrade.killAfter(dataDir, afterMs);
      const state = states.get(stateOf(dataDir));
      found.push(state);
      if (state === undefined) losses.push(`killed after ${afterMs} ms: neither old nor new`);
      const restMs = await upgrade.timeOf(dataDir);
      // Other work on the machine changes the time of an upgrade.
      if (state === 'old') ms = restMs;
      if (states.get(stateOf(dataDir)) !== 'new') {
        losses.push(`killed after ${afterMs} ms: the next start did not complete the upgrade`);
      }
      rmSync(dataDir, { recursive: true });
      if (kill % 10 === 9) say(`${kill + 1} kills: ${countOf(found, 'new')} after the commit`);
    }
    rmSync(dir, { recursive: true });
    const figures = { kills, old: countOf(found, 'old'), new: countOf(found, 'new') };
    return { figures: { ...figures, 'ms of an upgrade': Math.round(ms) }, losses };
  },
});

/** Upgrades databases in processes that can be killed; `cwd` is the directory of the project. */
function createUpgrade(cwd: string) {
  const start = (dataDir: string) =>
    Bun.spawn([...COMMAND, 'migrate', '--data-dir', dataDir], { cwd, stdout: 'ignore' });
  return {
    /** Runs an upgrade to its end and returns its time. */
    timeOf: async (dataDir: string) => {
      const begin = performance.now();
      await start(dataDir).exited;
      return performance.now() - begin;
    },
    killAfter: async (dataDir: string, ms: number) => {
      const child = start(dataDir);
      await Bun.sleep(ms);
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

function copyOf(from: string, to: string): string {
  mkdirSync(to, { mode: 0o700 });
  copyFileSync(join(from, 'hutch.db'), join(to, 'hutch.db'));
  return to;
}

function countOf(states: readonly (string | undefined)[], state: string): number {
  return states.filter((it) => it === state).length;
}

/** A hash of the definitions, apart from their form, and of all rows; the problem of a damaged file. */
function stateOf(dataDir: string): string {
  using client = new Database(join(dataDir, 'hutch.db'));
  const integrity = client.query('pragma integrity_check').values().flat().join();
  if (integrity !== 'ok') return integrity;
  const objects = client.query('select type, name from sqlite_master order by name').values();
  const catalog = createCatalog(client);
  const hash = new Bun.CryptoHasher('sha256').update(JSON.stringify(objects));
  for (const [type, name] of objects as [string, string][]) {
    const shape = type === 'table' ? catalog.table(name) : undefined;
    if (!shape) continue;
    // The portable form follows the upgrade in a transaction of its own, which touches no row.
    hash.update(JSON.stringify({ ...shape, sql: '', isStrict: true, isTyped: true }));
    for (const row of client.query(`select * from "${name}"`).values()) {
      hash.update(JSON.stringify(row));
    }
  }
  return hash.digest('hex');
}
