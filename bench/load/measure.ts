import { join } from 'node:path';
import { type Load, requestsOf } from './loads.ts';
import { cpuSeconds, LOAD_CORE, pinned, plainEnv, residentMb, type Server } from './process.ts';
import { formatRequests } from './requests.ts';

/** Extra time before a run is killed. */
const PATIENCE_MS = 15_000;
/** Time after a round in which a server writes what it put off: that is work for the round. */
const SETTLE_MS = 300;

/** The counts of a load generator. */
export interface Drive {
  requests: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
}

export interface Round extends Drive {
  perSecond: number;
  cpuMicros: number;
  rssMb: number;
}

export interface Rig {
  dir: string;
  rounds: number;
  seconds: number;
  signal: AbortSignal;
}

const hasWrk = Bun.which('wrk') !== null;
export const generator = hasWrk ? 'wrk' : 'autocannon';

/** Loads the servers in turn, A B A B …, and returns the rounds of each by name. */
export async function measure(
  rig: Rig,
  load: Load,
  servers: Server[],
): Promise<Record<string, Round[]>> {
  const file = join(rig.dir, `${load.name}.txt`);
  await Bun.write(file, formatRequests(requestsOf(load)));
  const warmUp = Math.max(1, Math.round(rig.seconds / 4));
  for (const server of servers) await drive(rig, server, file, load.connections, warmUp);
  const rounds: Record<string, Round[]> = Object.fromEntries(servers.map(({ name }) => [name, []]));
  for (let turn = 0; turn < rig.rounds; turn++) {
    for (const server of servers) {
      rounds[server.name]?.push(await measureRound(rig, server, file, load.connections));
    }
  }
  return rounds;
}

async function measureRound(rig: Rig, server: Server, file: string, connections: number) {
  await Bun.sleep(SETTLE_MS);
  const before = cpuSeconds(server.pid);
  const result = await drive(rig, server, file, connections, rig.seconds);
  await Bun.sleep(SETTLE_MS);
  const cpuMicros = ((cpuSeconds(server.pid) - before) * 1e6) / result.requests;
  const perSecond = result.requests / result.seconds;
  return { ...result, perSecond, cpuMicros, rssMb: residentMb(server.pid) };
}

/** Sends requests over and over for `seconds`, as fast as they are answered. */
export async function drive(
  { signal }: Rig,
  { url }: Server,
  file: string,
  connections: number,
  seconds: number,
): Promise<Drive> {
  const script = join(import.meta.dir, hasWrk ? 'load.lua' : 'autocannon.ts');
  const args = hasWrk
    ? ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url, '--', file]
    : [process.execPath, script, url, file, String(connections), String(seconds)];
  const child = Bun.spawn(pinned(args, LOAD_CORE), {
    env: plainEnv(),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: seconds * 1000 + PATIENCE_MS,
    signal,
  });
  const output = await child.stdout.text();
  const line = output.split('\n').findLast((text) => text.startsWith('{'));
  if ((await child.exited) !== 0 || !line) throw new Error(`${generator} failed:\n${output}`);
  return JSON.parse(line);
}

/** The value in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
