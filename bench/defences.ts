/**
 * Shows what the defences cost: drives Hutch as it is, as it was at a Git ref, and with one defence
 * after another switched off, by turns in one run.
 * `bun bench/defences.ts REF [load …]`; BENCH_ROUNDS and BENCH_SECONDS as in bench/run.ts.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createLoads, type Load } from './load/loads.ts';
import { measure, median, type Rig, type Round } from './load/measure.ts';
import { checkParity } from './load/parity.ts';
import { pinSelf, type Server, type ServerCommand, startServer } from './load/process.ts';
import { describeMachine } from './machine.ts';
import { table } from './report.ts';
import { seed } from './seed.ts';
import { HUTCH, hutchCommand, prepareHutch, run, upstreamCommand } from './stage.ts';

/** By name, the settings that switch a defence off. */
const SWITCHES: Record<string, Record<string, string>> = {
  'no admission control': { HUTCH_ADMISSION_CONTROL: 'off' },
  // An existing value wins: the heap then grows with the memory of the machine.
  'large heap': { BUN_JSC_forceRAMSize: String(totalmem()) },
};
const LOADS = ['user', 'popular', 'list', 'external', 'callers', 'sign-in', 'item', 'create'];

const [ref, ...wanted] = Bun.argv.slice(2);
if (ref === undefined) {
  console.error('Usage: bun bench/defences.ts REF [load …]');
  process.exit(2);
}
const aborter = new AbortController();
process.on('SIGINT', () => aborter.abort());
process.on('SIGTERM', () => aborter.abort());
const dir = mkdtempSync(join(tmpdir(), 'hutch-bench-'));
try {
  pinSelf();
  await main(ref);
} finally {
  await run(['git', 'worktree', 'remove', '--force', join(dir, 'tree')]).catch(() => {});
  rmSync(dir, { recursive: true, force: true });
}

async function main(ref: string): Promise<void> {
  const rig = {
    dir,
    signal: aborter.signal,
    rounds: Number(process.env['BENCH_ROUNDS'] ?? 3),
    seconds: Number(process.env['BENCH_SECONDS'] ?? 4),
  };
  await using stack = new AsyncDisposableStack();
  const servers: Server[] = [];
  for (const command of await setStage(ref)) {
    const server = await startServer(command, rig.signal);
    stack.defer(server.stop);
    servers.push(server);
  }
  const names = wanted.length > 0 ? wanted : LOADS;
  const upstream = await startServer(upstreamCommand(), rig.signal);
  stack.defer(upstream.stop);
  const loads = createLoads(upstream.url.split(' ')).filter(({ name }) => names.includes(name));
  const rows: string[][] = [];
  for (const load of loads) rows.push(await measureLoad(rig, load, servers));
  const [, ...others] = servers.map(({ name }) => name);
  console.log(`\n${[...describeMachine(dir), `before: ${ref}`].join('\n')}\n`);
  console.log(table(['load', 'now µs CPU', ...others], rows));
  console.log('\nµs CPU of a request; in brackets: of now ÷ of that column, the median of rounds.');
}

/** Copies one database, created by the older binary, for each server. */
async function setStage(ref: string): Promise<ServerCommand[]> {
  await prepareHutch();
  const tree = await checkOut(ref);
  const before = join(tree, 'dist', 'hutch');
  const seeded = join(dir, 'seeded');
  await run([before, 'migrate', '--data-dir', seeded]);
  const copy = join(dir, 'seeded.db');
  await seed(join(seeded, 'hutch.db'), copy);
  const commandFor = (name: string, binary: string, env = {}): ServerCommand => {
    const dataDir = join(dir, name.replaceAll(' ', '-'));
    mkdirSync(dataDir, { mode: 0o700 });
    copyFileSync(copy, join(dataDir, 'hutch.db'));
    const command = hutchCommand(dataDir, binary);
    return { ...command, name, env: { ...command.env, ...env } };
  };
  const less = Object.entries(SWITCHES).map(([name, env]) => commandFor(name, HUTCH, env));
  const earlier = knownTo(tree, commandFor('before', before));
  return [commandFor('now', HUTCH), earlier, ...less];
}

/** Leaves out the settings that the version in `tree` does not know: it would not start. */
function knownTo(tree: string, { name, args, env = {} }: ServerCommand): ServerCommand {
  const known = readFileSync(join(tree, '.env.example'), 'utf8');
  const kept = Object.entries(env).filter(([setting]) => known.includes(`${setting}=`));
  return { name, args, env: Object.fromEntries(kept) };
}

/** Builds the binary of a Git ref; returns the directory that it was checked out to. */
async function checkOut(ref: string): Promise<string> {
  const tree = join(dir, 'tree');
  await run(['git', 'worktree', 'add', '--detach', tree, ref]);
  await run([process.execPath, 'install', '--frozen-lockfile'], tree);
  await run([process.execPath, 'build.ts'], tree);
  return tree;
}

async function measureLoad(rig: Rig, load: Load, servers: Server[]): Promise<string[]> {
  console.error(`${load.label} …`);
  await checkParity(load, servers);
  const rounds = await measure(rig, load, servers);
  const failed = Object.values(rounds)
    .flat()
    .filter((round) => round.failed > 0);
  if (failed.length > 0) throw new Error(`${load.label}: requests failed.`);
  const [now = [], ...others] = servers.map(({ name }) => rounds[name] ?? []);
  return [
    load.label,
    cpuOf(now),
    ...others.map((other) => `${cpuOf(other)} (${ratio(now, other)})`),
  ];
}

function cpuOf(rounds: Round[]): string {
  return median(rounds.map(({ cpuMicros }) => cpuMicros)).toFixed(1);
}

function ratio(now: Round[], other: Round[]): string {
  const each = now.map((round, index) => round.cpuMicros / (other[index]?.cpuMicros ?? Number.NaN));
  return median(each).toFixed(2);
}
