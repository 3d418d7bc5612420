import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { ADMIN, type RunningHutch, serve } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';
import { campaign } from '../campaign.ts';
import type { OpenLoopOptions, OpenLoopReport } from './open-loop.ts';

const ITEMS = 200;
const PROBE_EVERY_MS = 50;
/** Connections of the closed loops, of which the best is the peak. */
const PEAK_CONNECTIONS = [32, 64, 128];

/** Apart, so that a load that grows takes no time from the server. */
const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Sends more than the server can answer, and looks at what it does with it. */
export const overload = campaign({
  summary: 'More requests than there is time for: goodput, latency, probes and streams hold.',
  options: {
    connections: 5000,
    seconds: 10,
    /** Times the peak, in percent. */
    load: 330,
    /** The minimum goodput, in percent of the peak. */
    goodput: 85,
    /** Most milliseconds of the 99th percentile, from when a request was due to its response. */
    p99: 1000,
  },
  run: async (options, say) => {
    const dir = tempDir();
    await using server = await serve(dir, { env: { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' } });
    moveToCore(SERVER_CORE, server.pid);
    const send = await createLoad(server, options.seconds);
    const peak = await findPeak(send, say);
    const watch = await watchServer(server);
    const rate = Math.round((peak * options.load) / 100);
    const report = await send({ rate, connections: options.connections });
    const watched = await watch.end();
    const stopped = await stopWithin(server, 15_000);
    rmSync(dir, { recursive: true, force: true });
    const goodput = successesOf(report) / report.seconds;
    const percent = Math.round((goodput / peak) * 100);
    const { p50, p99, max } = report.success_ms;
    return {
      figures: {
        'peak, responses/s': Math.round(peak),
        'offered, requests/s': rate,
        'goodput, responses/s': `${Math.round(goodput)} (${percent} % of the peak)`,
        'admitted, ms': `p50 ${p50}, p99 ${p99}, max ${max}`,
        'refused, ms': `p50 ${report.refused_ms.p50}, p99 ${report.refused_ms.p99}`,
        responses: JSON.stringify(report.statuses),
        probes: `${watched.probes}, the slowest ${Math.round(watched.slowestMs)} ms`,
      },
      losses: [
        ...(percent < options.goodput ? [`Goodput fell to ${percent} % of the peak.`] : []),
        ...(p99 > options.p99 ? [`The 99th percentile of admitted requests is ${p99} ms.`] : []),
        ...unexpectedOf(report).map((it) => `Requests ended as ${it}.`),
        ...watched.losses,
        ...stopped,
      ],
    };
  },
});

type Send = (load: Pick<OpenLoopOptions, 'rate' | 'connections'>) => Promise<OpenLoopReport>;

/** A mix of reads and writes, with and without a session, sent by another process. */
async function createLoad(server: RunningHutch, seconds: number): Promise<Send> {
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const client = server.clientFor(token);
  for (let index = 0; index < ITEMS; index++) {
    await client.api.v2.items.post({ title: `Item ${index}`, description: 'straw '.repeat(50) });
  }
  const { hostname, port } = new URL(server.url);
  const requests = requestsOf(token);
  return (load) =>
    runProcess({ hostname, port: Number(port), requests, seconds, timeoutMs: 10_000, ...load });
}

function requestsOf(token: string): string[] {
  const get = (path: string, headers = '') =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
  const session = `Authorization: Bearer ${token}\r\n`;
  const item = { title: 'One more', description: 'hay '.repeat(50), visibility: 'private' };
  const body = JSON.stringify(item);
  const framing = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return [
    get('/api/v2/items?limit=20', session),
    get('/api/v2/items/3'),
    get('/api/v1/items/popular'),
    get('/api/v2/users/me', session),
    `POST /api/v2/items HTTP/1.1\r\nHost: localhost\r\n${session}${framing}\r\n${body}`,
    get('/api/v2/items/9', session),
    get('/api/v2/items?q=straw&limit=10'),
    get('/api/v1/items/7'),
  ];
}

async function runProcess(options: OpenLoopOptions): Promise<OpenLoopReport> {
  const command = [process.execPath, `${import.meta.dir}/open-loop.ts`, JSON.stringify(options)];
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' });
  moveToCore(LOAD_CORE, child.pid);
  return JSON.parse(await child.stdout.text()) as OpenLoopReport;
}

/** Moves a process with all its threads, on a machine that has taskset and two cores. */
function moveToCore(core: number, pid: number): void {
  if (availableParallelism() < 2 || Bun.which('taskset') === null) return;
  Bun.spawnSync(['taskset', '-acp', String(core), String(pid)]);
}

async function findPeak(send: Send, say: (line: string) => void): Promise<number> {
  let peak = 0;
  for (const connections of PEAK_CONNECTIONS) {
    const report = await send({ rate: 0, connections });
    const goodput = successesOf(report) / report.seconds;
    say(`${connections} connections in a closed loop: ${Math.round(goodput)} responses/s`);
    peak = Math.max(peak, goodput);
  }
  return peak;
}

function successesOf({ statuses }: OpenLoopReport): number {
  const counts = Object.entries(statuses).filter(([status]) => status.startsWith('2'));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

/** Outcomes that are neither a success nor a refusal. */
function unexpectedOf({ statuses }: OpenLoopReport): string[] {
  return Object.keys(statuses).filter((status) => !status.startsWith('2') && status !== '503');
}

/** Probes the server and listens to its events until `end`, which returns what went wrong. */
async function watchServer({ url }: RunningHutch) {
  const losses = new Set<string>();
  const aborter = new AbortController();
  let probes = 0;
  let slowestMs = 0;
  let hasStream = true;
  const events = await fetch(`${url}/api/v2/items/events`, { signal: aborter.signal });
  const stream = readToEnd(events).then(() => {
    hasStream = false;
  });
  const probe = async () => {
    const sentAt = performance.now();
    const response = await fetch(`${url}/health/ready`);
    if (response.status !== 200) losses.add(`A probe was answered with ${response.status}.`);
    probes++;
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    const other = await fetch(`${url}/api/v2/system/version`);
    if (other.status === 503 && other.headers.get('retry-after') === null) {
      losses.add('A refusal came without Retry-After.');
    }
  };
  const timer = setInterval(() => {
    probe().catch((error) => losses.add(`A probe failed: ${error}.`));
  }, PROBE_EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      if (!hasStream) losses.add('A stream of events ended.');
      aborter.abort();
      await stream;
      return { losses: [...losses], probes, slowestMs };
    },
  };
}

async function readToEnd({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  while (reader && !(await reader.read().catch(() => ({ done: true }))).done);
}

async function stopWithin(server: RunningHutch, ms: number): Promise<string[]> {
  const outcome = await Promise.race([server.stop(), Bun.sleep(ms)]);
  return outcome === 0 ? [] : [`A stop under load ended with ${outcome ?? 'nothing'}.`];
}
