/**
 * Measures Hutch against the same work written by hand, in one run on one machine.
 * `bun bench/run.ts user list` runs these loads only; BENCH_ROUNDS and BENCH_SECONDS say how
 * long. docs/benchmarks.md says how to read the result.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureCachedSource } from './cached-source.ts';
import { measureExternal } from './external.ts';
import { createLoads, type Load } from './load/loads.ts';
import { measure, median, type Rig } from './load/measure.ts';
import { checkParity } from './load/parity.ts';
import { pinSelf, type Server, startServer } from './load/process.ts';
import { describeMachine, stealMeter } from './machine.ts';
import { loadTable, type Measured, type Single, singleTable } from './report.ts';
import { type Stage, setStage, upstreamCommand } from './stage.ts';
import { startUpMs } from './start-up.ts';

interface Scene {
  rig: Rig;
  stage: Stage;
  hutch: Server;
  bare: Server;
  upstreams: string[];
}

const failures: string[] = [];
const aborter = new AbortController();
process.on('SIGINT', () => aborter.abort());
process.on('SIGTERM', () => aborter.abort());
const dir = mkdtempSync(join(tmpdir(), 'hutch-bench-'));
try {
  pinSelf();
  await main(dir, aborter.signal);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
if (failures.length > 0) {
  console.error(`\nFAILED: these numbers mean nothing.\n${failures.join('\n')}`);
  process.exitCode = 1;
}

async function main(dir: string, signal: AbortSignal): Promise<void> {
  const rig = {
    dir,
    signal,
    rounds: Number(process.env['BENCH_ROUNDS'] ?? 3),
    seconds: Number(process.env['BENCH_SECONDS'] ?? 4),
  };
  const machine = describeMachine(dir);
  const steal = stealMeter();
  await using servers = new AsyncDisposableStack();
  const stage = await setStage(dir);
  const start = async (command: Parameters<typeof startServer>[0]) => {
    const server = await startServer(command, signal);
    servers.defer(server.stop);
    return server;
  };
  const wanted = Bun.argv.slice(2);
  const starts = wanted.length === 0 ? await measureStarts(stage, signal) : [];
  const { url } = await start(upstreamCommand());
  const [hutch, bare] = [await start(stage.hutch), await start(stage.bare)];
  const scene = { rig, stage, hutch, bare, upstreams: url.split(' ') };
  const loads = chosen(createLoads(scene.upstreams), wanted);
  const measured = await measureLoads(scene, loads);
  const singles = [...starts, ...(await measureRest(scene, measured))];
  const ceiling = await measureCeiling(rig, await start(stage.constant), loads);
  const stolen = ((steal() ?? 0) * 100).toFixed(1);
  console.log(
    `\n${[...machine, `${stolen} % of CPU time stolen by the host`, ceiling].join('\n')}`,
  );
  console.log(`\n${loadTable(measured)}\n\n${singleTable(singles)}`);
}

function chosen(loads: Load[], names: string[]): Load[] {
  const unknown = names.filter((name) => !loads.some((load) => load.name === name));
  if (unknown.length === 0) return loads.filter(({ name }) => isWanted(name, names));
  const known = loads.map(({ name }) => name).join(', ');
  throw new Error(`No such load: ${unknown.join(', ')}. There are ${known}.`);
}

function isWanted(name: string, names: string[]): boolean {
  return names.length === 0 || names.includes(name);
}

async function measureLoads({ rig, hutch, bare }: Scene, loads: Load[]): Promise<Measured[]> {
  const all: Measured[] = [];
  for (const load of loads) {
    console.error(`${load.label} …`);
    try {
      await checkParity(load, [hutch, bare]);
    } catch (error) {
      failures.push(String(error));
      continue;
    }
    const rounds = await measure(rig, load, [hutch, bare]);
    const measured = { load, hutch: rounds['hutch'] ?? [], bare: rounds['bare'] ?? [] };
    all.push(measured);
    for (const name of ['hutch', 'bare'] as const) {
      const failed = measured[name].reduce((sum, round) => sum + round.failed, 0);
      if (failed > 0) failures.push(`${load.label}: ${failed} requests to ${name} failed`);
    }
  }
  return all;
}

async function measureStarts(stage: Stage, signal: AbortSignal): Promise<Single[]> {
  console.error('start-up …');
  const hutch = await startUpMs(stage.hutch, signal);
  const others = [await startUpMs(stage.bare, signal), await startUpMs(stage.constant, signal)];
  const [bare, constant] = others.map((ms) => ms.toFixed(0));
  const text = `${hutch.toFixed(0)} (bare ${bare}, constant ${constant})`;
  return [{ name: 'start-up to the first response, ms', value: hutch, below: 100, text }];
}

async function measureRest(scene: Scene, all: Measured[]) {
  const singles: Single[] = [];
  if (all.some(({ load }) => load.name === 'external')) {
    console.error('outside calls, one by one …');
    singles.push(...(await measureExternal(scene)), await measureCachedSource(scene));
  }
  const most = (rounds: (it: Measured) => { rssMb: number }[]) =>
    Math.max(...all.flatMap((it) => rounds(it).map(({ rssMb }) => rssMb)));
  const [own, bare] = [most((it) => it.hutch), most((it) => it.bare)];
  const text = `${own.toFixed(0)} (bare ${bare.toFixed(0)})`;
  return [...singles, { name: 'most RSS after any round, MB', value: own, below: 130, text }];
}

async function measureCeiling(rig: Rig, constant: Server, loads: Load[]): Promise<string> {
  const [load] = loads;
  if (!load) return '';
  const rounds = await measure(rig, load, [constant]);
  const own = rounds['constant'] ?? [];
  const perSecond = Math.round(median(own.map((it) => it.perSecond)));
  const cpuMicros = median(own.map((it) => it.cpuMicros)).toFixed(1);
  return `a constant response: ${perSecond.toLocaleString('en')} req/s at ${cpuMicros} µs CPU`;
}
