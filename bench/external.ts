import { join } from 'node:path';
import { externalRequest } from './load/loads.ts';
import { drive, median, type Rig } from './load/measure.ts';
import { pinned, plainEnv, SERVER_CORE, type Server } from './load/process.ts';
import { formatRequests } from './load/requests.ts';
import type { Single } from './report.ts';
import type { Outside } from './servers/outside.ts';
import { programPath, UPSTREAM_HOSTS } from './stage.ts';

const LATENCY_SECONDS = 2;
/** Less than the 5 s after which a call that hangs is tried again. */
const HANG_SECONDS = 4;
const HANGING_CALLS = 300;
const URLS_A_REQUEST = 30;
const READ_CONNECTIONS = 4;

export interface ExternalScene {
  rig: Rig;
  hutch: Server;
  bare: Server;
  upstreams: string[];
}

/** Measures properties of outside calls that are not loads. Throws if a request fails. */
export async function measureExternal(scene: ExternalScene): Promise<Single[]> {
  return [
    await eightByOne(scene),
    await coldByFloor(scene, 8),
    await coldByFloor(scene, 64),
    ...(await outsideAlone(scene)),
    await readsWhileHanging(scene),
  ];
}

async function eightByOne({ rig, hutch, upstreams }: ExternalScene): Promise<Single> {
  const one = await latencyOf(rig, hutch, upstreams, 1);
  const eight = await latencyOf(rig, hutch, upstreams, 8);
  return ratio('8 outside calls ÷ one', eight, one, 1.3);
}

/** Over HTTP against the bare server, which is Promise.all of fetch; by turns. */
async function coldByFloor({ rig, hutch, bare, upstreams }: ExternalScene, count: number) {
  const times: [hutch: number, bare: number][] = [];
  for (let turn = 0; turn < rig.rounds; turn++) {
    const own = await latencyOf(rig, hutch, upstreams, count);
    times.push([own, await latencyOf(rig, bare, upstreams, count)]);
  }
  const [own, floor] = [median(times.map(([it]) => it)), median(times.map(([, it]) => it))];
  return ratio(`${count} outside calls ÷ those of bare`, own, floor, 1.2);
}

async function outsideAlone({ rig, upstreams }: ExternalScene): Promise<Single[]> {
  const script = programPath('outside');
  const args = pinned([process.execPath, script, ...upstreams], SERVER_CORE);
  const child = Bun.spawn(args, { env: plainEnv(), stdout: 'pipe', signal: rig.signal });
  const rows: Outside[] = JSON.parse(await child.stdout.text());
  return rows.flatMap(({ upstreams: count, ...it }) => [
    ratio(`${count} calls, cold cache ÷ Promise.all(fetch)`, it.coldMs, it.floorMs, 1.2),
    ratio(`${count} calls, CPU of one ÷ that of a fetch`, it.coldCpuMs, it.floorCpuMs),
    ratio(`${count} calls, warm cache ÷ hits of the app's cache`, it.warmMs, it.cacheMs),
  ]);
}

/** 99th percentile of reads, idle and while calls hang outside, by turns. */
async function readsWhileHanging({ rig, hutch }: ExternalScene): Promise<Single> {
  const file = join(rig.dir, 'reads.txt');
  await Bun.write(file, formatRequests([{ method: 'GET', path: '/api/v1/items/?limit=20' }]));
  const seconds = Math.min(rig.seconds, HANG_SECONDS);
  const p99 = async () => {
    const { p99Ms, failed } = await drive(rig, hutch, file, READ_CONNECTIONS, seconds);
    if (failed > 0) throw new Error(`${failed} reads failed`);
    return p99Ms;
  };
  const times: [hanging: number, idle: number][] = [];
  await p99();
  for (let turn = 0; turn < rig.rounds; turn++) {
    const idle = await p99();
    await using _hanging = await hang(hutch);
    times.push([await p99(), idle]);
  }
  const [hanging, idle] = [median(times.map(([it]) => it)), median(times.map(([, it]) => it))];
  return ratio(`p99 of reads, ${HANGING_CALLS} calls hanging ÷ idle`, hanging, idle, 2);
}

/** Makes calls to hosts that never answer; they are given up when it is disposed of. */
async function hang({ url }: Server) {
  let connections = 0;
  const silent = Bun.listen({
    hostname: '0.0.0.0',
    port: 0,
    socket: { open: () => void connections++, data: () => {} },
  });
  const leaving = new AbortController();
  for (let made = 0; made < HANGING_CALLS; made += URLS_A_REQUEST) {
    const hosts = UPSTREAM_HOSTS.map((host) => `http://${host}:${silent.port}/${made}`);
    const { path, token } = externalRequest(hosts, URLS_A_REQUEST);
    const headers = { authorization: `Bearer ${token}` };
    fetch(url + path, { headers, signal: leaving.signal }).catch(() => {});
  }
  while (connections < UPSTREAM_HOSTS.length) await Bun.sleep(1);
  return {
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      silent.stop(true);
    },
  };
}

async function latencyOf(rig: Rig, server: Server, upstreams: string[], count: number) {
  const file = join(rig.dir, `external-${count}.txt`);
  await Bun.write(file, formatRequests([externalRequest(upstreams, count)]));
  const { p50Ms, failed } = await drive(rig, server, file, 1, LATENCY_SECONDS);
  if (failed > 0) throw new Error(`outside calls: ${failed} requests to ${server.name} failed`);
  return p50Ms;
}

export function ratio(name: string, over: number, under: number, below?: number): Single {
  const value = over / under;
  const digits = under < 1 ? 3 : 1;
  const text = `${value.toFixed(2)} (${over.toFixed(digits)} and ${under.toFixed(digits)} ms)`;
  return { name, value, text, ...(below !== undefined && { below }) };
}
