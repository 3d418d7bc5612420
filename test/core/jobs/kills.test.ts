import { expect, test } from 'bun:test';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';

const JOBS = 400;
const KILLS = 12;

function work(dir: string, count = 0) {
  const args = [join(dir, 'hutch.db'), join(dir, 'runs'), String(count)];
  const script = join(import.meta.dir, 'killed-worker.ts');
  return Bun.spawn([process.execPath, script, ...args], { stdout: 'pipe', stderr: 'pipe' });
}

test('each job runs at least once, however often the process is killed', async () => {
  const dir = tempDir();
  let kills = 0;
  for (let trial = 0; trial < KILLS; trial++) {
    const child = work(dir, trial === 0 ? JOBS : 0);
    await child.stdout.getReader().read();
    await Bun.sleep(Math.random() * 30);
    child.kill('SIGKILL');
    await child.exited;
    if (child.signalCode === 'SIGKILL') kills++;
  }
  const last = work(dir);
  const errors = await last.stderr.text();
  expect([await last.exited, errors]).toEqual([0, '']);
  const runs = readFileSync(join(dir, 'runs'), 'utf8').trimEnd().split('\n').map(Number);
  expect(new Set(runs).size).toBe(JOBS);
  expect(kills).toBeGreaterThan(0);
  // A kill repeats only what was running: five jobs at once, and those of a commit that was lost.
  expect(runs.length).toBeLessThanOrEqual(JOBS + kills * 10);
  rmSync(dir, { recursive: true });
}, 60_000);
