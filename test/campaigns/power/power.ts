import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN, type RunningHutch, serve } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';
import { campaign, seededRandom } from '../campaign.ts';
import { acknowledged, createLedger, findLosses, type Ledger } from '../ledger.ts';
import { type Operation, readRecord, recordingEnv } from '../shims/disk-shim.ts';
import { hasShim } from '../shims/shim.ts';
import { writeUntilGone } from '../writers.ts';
import { createDisk, SURVIVALS } from './disk-model.ts';
import { hasRealCuts, openRealDisk } from './real-disk.ts';

/** Ends rate limits, which are not what is tried. */
const ENV = { HUTCH_RATE_LIMIT: 'off' };
const SHM_BYTES = 32_768;

/**
 * Cuts the power. Replayed: a server's file operations are recorded, a disk is built as a cut
 * at a chosen operation may leave it, and the server is started on it. Real: a file system is
 * shut down under a server without writing anything more, mounted again and served.
 */
export const power = campaign({
  summary:
    'power cuts, replayed from recorded file operations and real: nothing acknowledged is lost.',
  options: { trials: 500, real: 50, writers: 6, seconds: 12, honest: 1, seed: 1 },
  run: async (options, say) => {
    const losses: string[] = [];
    const figures: Record<string, string | number> = {};
    if (options.trials > 0 && (await hasShim()))
      Object.assign(figures, await replayCuts(options, losses, say));
    else figures['replayed cuts'] = 'none: not asked for, or no C compiler';
    if (options.real > 0 && hasRealCuts())
      Object.assign(figures, await realCuts(options, losses, say));
    else figures['real cuts'] = 'none: not asked for, not root, or no loop devices';
    return { figures, losses };
  },
});

type PowerOptions = (typeof power)['options'];
type Say = (line: string) => void;

async function replayCuts(options: PowerOptions, losses: string[], say: Say) {
  const dir = tempDir();
  await (await serve(dir, { env: { ...ENV, ...ADMIN.env } })).stop();
  const disk = createDisk(dir);
  const ledger = createLedger();
  const operations = await recordLoad(dir, ledger, options);
  say(`${operations.length} operations recorded, ${acknowledged(ledger)} writes acknowledged`);
  const random = seededRandom(options.seed);
  const points = cutPoints(operations, options.trials, random);
  let trial = 0;
  for (const [index, operation] of operations.entries()) {
    for (; points[trial] === index && losses.length === 0; trial++) {
      const image = tempDir();
      const survival = SURVIVALS[trial % SURVIVALS.length] ?? 'all';
      disk.cut(image, survival, random);
      // The index of the log is in memory; a disk may hold an old one, or anything.
      if (random() < 0.25) writeFileSync(join(image, 'hutch.db-shm'), noise(random));
      const found = await lossesOf(image, ledger, operation.at);
      losses.push(...found.map((loss) => `cut at operation ${index}, ${survival}: ${loss}`));
      rmSync(image, { recursive: true });
      if ((trial + 1) % 100 === 0) say(`${trial + 1} cuts replayed`);
    }
    // With honest 0 the disk only says that it has synced: the campaign must notice.
    if (options.honest === 1 || operation.kind !== 'sync') disk.apply(operation);
  }
  rmSync(dir, { recursive: true });
  return {
    'replayed cuts': trial,
    'recorded operations': operations.length,
    'recorded fsyncs': operations.filter(({ kind }) => kind === 'sync').length,
    'acknowledged writes, replayed': acknowledged(ledger),
  };
}

/** Bursts of writes with pauses, in which the log is moved and emptied. */
async function recordLoad(dir: string, ledger: Ledger, { writers, seconds }: PowerOptions) {
  const record = join(tempDir(), 'record');
  const server = await serve(dir, { env: { ...ENV, ...recordingEnv(dir, record) } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const bursts = Math.max(2, Math.ceil(seconds / 12));
  for (let burst = 0; burst < bursts; burst++) {
    const signal = AbortSignal.timeout((seconds * 1000) / bursts / 4);
    await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        writeUntilGone({ url: server.url, token }, ledger, `${burst}.${writer}`, signal),
      ),
    );
    await Bun.sleep(((seconds * 1000) / bursts) * 0.75);
  }
  server.kill('SIGKILL');
  await server.exited;
  return readRecord(record);
}

/** Indexes in their order: one half anywhere, the other around what happens to the database file. */
function cutPoints(operations: Operation[], count: number, random: () => number): number[] {
  const special = operations.flatMap(({ file, kind }, index) =>
    file === 'hutch.db' || kind === 'truncate' || kind === 'unlink' ? [index] : [],
  );
  const pick = (from: number[]) => from[Math.floor(random() * from.length)] ?? 0;
  const all = operations.map((_, index) => index);
  return Array.from({ length: count }, (_, trial) =>
    trial % 2 === 0 || special.length === 0 ? pick(all) : pick(special),
  ).toSorted((a, b) => a - b);
}

function noise(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: SHM_BYTES }, () => Math.floor(random() * 256)));
}

/** Returns the losses after a server has recovered `dir`, responded and stopped. */
async function lossesOf(dir: string, ledger: Ledger, until: number): Promise<string[]> {
  let server: RunningHutch;
  try {
    server = await serve(dir, { env: ENV });
  } catch (error) {
    return [`the server does not start: ${String(error)}`];
  }
  const ready = await fetch(`${server.url}/health/ready`);
  const list = await fetch(`${server.url}/api/v2/items?limit=1`);
  await server.stop();
  if (!ready.ok || !list.ok) return [`ready ${ready.status}, list ${list.status}`];
  return findLosses(dir, ledger, until);
}

async function realCuts({ real, writers, seed }: PowerOptions, losses: string[], say: Say) {
  const random = seededRandom(seed);
  const ledger = createLedger();
  await using disk = await openRealDisk();
  for (let trial = 0; trial < real && losses.length === 0; trial++) {
    const server = await serve(disk.dir, { env: { ...ENV, ...ADMIN.env } });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const running = Array.from({ length: writers }, (_, writer) =>
      writeUntilGone({ url: server.url, token }, ledger, `${trial}.${writer}`),
    );
    await Bun.sleep(60 + random() * 400);
    const cutAt = disk.cut();
    server.kill('SIGKILL');
    await Promise.all(running);
    await server.exited;
    await disk.restore();
    const copy = tempDir();
    cpSync(disk.dir, copy, { recursive: true });
    losses.push(
      ...(await lossesOf(copy, ledger, cutAt)).map((loss) => `real cut ${trial}: ${loss}`),
    );
    rmSync(copy, { recursive: true });
    if ((trial + 1) % 25 === 0) say(`${trial + 1} real cuts`);
  }
  return { 'real cuts': real, 'acknowledged writes, real': acknowledged(ledger) };
}
