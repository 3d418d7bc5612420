import { join } from 'node:path';
import { externalRequest } from './loads.ts';
import { drive, median, type Rig } from './measure.ts';
import { type Server, type ServerCommand, startServer } from './process.ts';
import { formatRequests } from './requests.ts';

const STARTS = 7;
const POLL_MS = 1;
const LATENCY_SECONDS = 2;

/** Median milliseconds from spawn to the first 200 of /health/live, of several starts. */
export async function startUpMs(command: ServerCommand, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    const start = performance.now();
    const server = await startServer(command, signal);
    while (!(await isLive(server))) await Bun.sleep(POLL_MS);
    times.push(performance.now() - start);
    await server.stop();
  }
  return median(times);
}

async function isLive({ url }: Server): Promise<boolean> {
  const response = await fetch(`${url}/health/live`).catch(() => undefined);
  await response?.text();
  return response?.status === 200;
}

/** Median latency in ms of one outside call and of eight at once, over one connection. */
export async function externalLatency(rig: Rig, server: Server, upstreams: string[]) {
  const [one, eight] = [
    await latencyOf(rig, server, upstreams, 1),
    await latencyOf(rig, server, upstreams, 8),
  ];
  return { oneMs: one.p50Ms, eightMs: eight.p50Ms, failed: one.failed + eight.failed };
}

async function latencyOf(rig: Rig, server: Server, upstreams: string[], count: number) {
  const file = join(rig.dir, `external-${count}.txt`);
  await Bun.write(file, formatRequests([externalRequest(upstreams, count)]));
  return drive(rig, server, file, 1, LATENCY_SECONDS);
}
