import { median } from './load/measure.ts';
import { type Server, type ServerCommand, startServer } from './load/process.ts';

const STARTS = 7;
const POLL_MS = 1;

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
