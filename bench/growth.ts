/**
 * How Hutch answers when there are more and more items: the same binary over databases of 10,000,
 * 1 million and 10 million items, asked by turns, one request at a time. Prints medians in ms and
 * what the largest takes over the smallest. `bun bench/growth.ts 10000 100000` takes other sizes;
 * BENCH_DATA names a directory that keeps the databases, whose making takes most of the time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grow } from './grown.ts';
import { QUESTIONS, type Question } from './growth-loads.ts';
import { median } from './load/measure.ts';
import { cpuSeconds, pinSelf, type Server, startServer } from './load/process.ts';
import { describeMachine } from './machine.ts';
import { table } from './report.ts';
import { hutchCommand, prepareHutch } from './stage.ts';

const SIZES = Bun.argv.slice(2).map(Number);
const sizes = SIZES.length > 0 ? SIZES : [10_000, 1_000_000, 10_000_000];
const TURNS = Number(process.env['BENCH_TURNS'] ?? 200);
const WARM_UP_TURNS = 20;
const CPU_ROUNDS = 5;
const CPU_TURNS = 6_400;
const CPU_CONNECTIONS = 32;

interface Grown {
  size: number;
  bytes: number;
  server: Server;
}

const kept = process.env['BENCH_DATA'];
const dir = kept ?? mkdtempSync(join(tmpdir(), 'hutch-growth-'));
try {
  pinSelf();
  await main();
} finally {
  if (!kept) rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  await prepareHutch();
  await using servers = new AsyncDisposableStack();
  const grown: Grown[] = [];
  for (const size of sizes) {
    const dataDir = join(dir, String(size));
    const bytes = await grow(dataDir, size);
    const server = await startServer(hutchCommand(dataDir), new AbortController().signal);
    servers.defer(server.stop);
    grown.push({ size, bytes, server });
  }
  const rows = [];
  for (const question of QUESTIONS) rows.push(await rowOf(question, grown));
  const known = await cpuShare(QUESTIONS[1], QUESTIONS[0], grown[0]);
  const bytes = grown.map((it) => `${(it.bytes / 1e6).toFixed(0)} MB`);
  const head = [
    'median ms',
    ...sizes.map((size) => size.toLocaleString('en')),
    'growth',
    'aim',
    '',
  ];
  console.log(`\n${describeMachine(dir).join('\n')}\n`);
  console.log(table(head, [...rows, ['database', ...bytes, '', '', '']]));
  console.log(
    `\nA 304 takes ${known.toFixed(2)} of the server's CPU for the full answer (aim < 0.5).`,
  );
}

/** Measures the CPU ratio of two requests, sent in turn. */
async function cpuShare(one?: Question, other?: Question, grown?: Grown): Promise<number> {
  if (!one || !other || !grown) return Number.NaN;
  const spent = [0, 0];
  for (let round = 0; round < CPU_ROUNDS; round++) {
    for (const [index, { ask }] of [one, other].entries()) {
      const before = cpuSeconds(grown.server.pid);
      for (let turn = 0; turn < CPU_TURNS; turn += CPU_CONNECTIONS) {
        // Many at once, or what a server spends to wait would count for both.
        const asked = Array.from({ length: CPU_CONNECTIONS }, async (_, index) =>
          (await ask(grown.server, grown.size, turn + index)).arrayBuffer(),
        );
        await Promise.all(asked);
      }
      spent[index] = (spent[index] ?? 0) + cpuSeconds(grown.server.pid) - before;
    }
  }
  return (spent[0] ?? 0) / (spent[1] ?? 1);
}

/** Asks all servers the same by turns, so that what else the machine does hits all alike. */
async function rowOf({ name, most, ask }: Question, grown: Grown[]): Promise<string[]> {
  console.error(`${name} …`);
  const times = grown.map((): number[] => []);
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    for (const [index, { server, size }] of grown.entries()) {
      const start = performance.now();
      const answer = await ask(server, size, turn);
      await answer.arrayBuffer();
      if (answer.status >= 400) throw new Error(`${name}: ${answer.status} of ${answer.url}`);
      if (turn >= WARM_UP_TURNS) times[index]?.push(performance.now() - start);
    }
  }
  const medians = times.map(median);
  const growth = (medians.at(-1) ?? 0) / (medians[0] ?? 1);
  const aim = most === undefined ? ['', ''] : [`≤ ${most}`, growth <= most ? 'met' : 'missed'];
  return [name, ...medians.map((ms) => ms.toFixed(2)), growth.toFixed(2), ...aim];
}
