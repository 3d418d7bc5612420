/**
 * Measures how long a query makes others wait, over a database of 200,000 items or as many as the
 * argument says. One client, then eight, repeat the query while a probe requests /health/live; the
 * latency of the probe is what others wait. The longest turn is the CPU time of one turn of the event
 * loop, measured in a separate process so that other load on the machine does not count. BENCH_DATA
 * names a directory for the database, to reuse it; BENCH_SECONDS is the duration of each measurement;
 * further arguments choose queries.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addLoads, BLOCKERS, type Blocker } from './blocking-loads.ts';
import { grow } from './grown.ts';
import { pinSelf, type Server, startServer } from './load/process.ts';
import { describeMachine } from './machine.ts';
import { table } from './report.ts';
import { hutchCommand, prepareHutch } from './stage.ts';

const [count, ...names] = Bun.argv.slice(2);
const SIZE = Number(count ?? 200_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3);
const CLIENTS = 8;
/** Between two requests of the probe. */
const PROBE_PAUSE_MS = 2;
const TIMEOUT_MS = 30_000;
/** The longest that a query may block the event loop. */
const MOST_MS = 25;

const kept = process.env['BENCH_DATA'];
const dir = kept ?? mkdtempSync(join(tmpdir(), 'hutch-blocking-'));
try {
  pinSelf();
  await main();
} finally {
  if (!kept) rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  await prepareHutch();
  const dataDir = join(dir, `blocking-${SIZE}`);
  await grow(dataDir, SIZE, (client) => addLoads(client, SIZE));
  const turns = await longestTurns(dataDir);
  const server = await startServer(hutchCommand(dataDir), new AbortController().signal);
  const rows = [];
  try {
    const idle = await watched(server, SECONDS, async () => Bun.sleep(1));
    rows.push(['(nothing)', '', '', '', '', ms(idle.p99), '']);
    const asked = BLOCKERS.filter(({ name }) => names.every((it) => name.includes(it)));
    for (const blocker of asked) rows.push(await rowOf(server, blocker, turns));
  } finally {
    await server.stop();
  }
  const head = ['ms', 'one alone', 'longest turn', 'responses/s', '503/s', 'others p99', ''];
  console.log(`\n${describeMachine(dir).join('\n')}\n${SIZE.toLocaleString('en')} items\n`);
  console.log(table(head, rows));
}

async function rowOf(
  server: Server,
  blocker: Blocker,
  turns: Record<string, number>,
): Promise<string[]> {
  console.error(`${blocker.name} …`);
  await ask(server, blocker);
  const times: number[] = [];
  await watched(server, SECONDS / 2, async () => {
    const start = performance.now();
    await ask(server, blocker);
    times.push(performance.now() - start);
  });
  const turn = turns[blocker.name] ?? Number.NaN;
  const counts = { answered: 0, refused: 0 };
  const crowd = await watched(
    server,
    SECONDS,
    async () => {
      const { status } = await ask(server, blocker);
      if (status === 503) counts.refused++;
      else counts.answered++;
    },
    CLIENTS,
  );
  const median = times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
  return [
    blocker.name,
    ms(median),
    ms(turn),
    (counts.answered / SECONDS).toFixed(0),
    (counts.refused / SECONDS).toFixed(0),
    ms(crowd.p99),
    turn <= MOST_MS ? 'met' : 'missed',
  ];
}

async function ask(server: Server, { path, token }: Blocker): Promise<Response> {
  const answer = await fetch(server.url + path, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.arrayBuffer();
  if (answer.status >= 400 && answer.status !== 503) {
    throw new Error(`${path}: ${answer.status}`);
  }
  return answer;
}

/** Measures the longest turn of each query, in CPU ms, in a process without other work. */
async function longestTurns(dataDir: string): Promise<Record<string, number>> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'longest-turns.ts'), dataDir], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  return JSON.parse(await child.stdout.text()) as Record<string, number>;
}

/** Measures the wait of a probe while `clients` repeat `work`. */
async function watched(
  server: Server,
  seconds: number,
  work: () => Promise<unknown>,
  clients = 1,
): Promise<{ longest: number; p99: number }> {
  const end = performance.now() + seconds * 1000;
  const waits: number[] = [];
  const probe = async () => {
    while (performance.now() < end) {
      const start = performance.now();
      await (await fetch(`${server.url}/health/live`)).arrayBuffer();
      waits.push(performance.now() - start);
      await Bun.sleep(PROBE_PAUSE_MS);
    }
  };
  const client = async () => {
    while (performance.now() < end) {
      await work();
      await Bun.sleep(0);
    }
  };
  await Promise.all([probe(), ...Array.from({ length: clients }, client)]);
  waits.sort((a, b) => a - b);
  return { longest: waits.at(-1) ?? 0, p99: waits[Math.floor(waits.length * 0.99)] ?? 0 };
}

function ms(value: number): string {
  return value.toFixed(1);
}
