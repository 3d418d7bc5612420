import { readFileSync } from 'node:fs';
import { ADMIN, serve } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';
import { campaign } from '../campaign.ts';
import { CLIENTS, type Client, type Counts, type World } from './soak-clients.ts';

/** The interval between samples of memory and event loop delay. */
const LOOK_MS = 1_000;
const IDLE_MS = 30_000;
/** A client that hangs must not hold the campaign up. */
const ENDING_MS = 10_000;
const SEED_ITEMS = 2_000;

/** Runs every kind of client at once for minutes, and watches memory, errors and delay. */
export const soak = campaign({
  summary: 'a mix of 14 kinds of clients: memory, errors and delay over time.',
  options: { minutes: 5, each: 2, maxMixMb: 250, maxIdleMb: 120, idleSeconds: IDLE_MS / 1000 },
  run: async ({ minutes, each, maxMixMb, maxIdleMb, idleSeconds }, say) => {
    const upstream = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () => Response.json({ text: 'x'.repeat(2_000) }),
    });
    const server = await serve(tempDir(), {
      env: {
        ...ADMIN.env,
        HUTCH_RATE_LIMIT: 'off',
        HUTCH_EXTERNAL_ALLOW_HOSTS: '127.0.0.1',
        HUTCH_LOG_LEVEL: 'info',
        HUTCH_QUOTA_ITEMS: '10000000',
        HUTCH_QUOTA_SESSIONS: '10000',
      },
    });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    const ending = new AbortController();
    const world: World = {
      url: server.url,
      token,
      upstream: upstream.url.href,
      signal: ending.signal,
    };
    await seed(world);
    const startMb = residentMb(server.pid);
    const counts: Counts = {};
    const running = Object.entries(CLIENTS).flatMap(([name, client]) =>
      Array.from({ length: each }, () => runClient(name, client, world, counts)),
    );
    const watch = await watchServer(world, server.pid, minutes * 60_000, say);
    ending.abort();
    await Promise.race([Promise.all(running), Bun.sleep(ENDING_MS)]);
    const endMb = residentMb(server.pid);
    await Bun.sleep(idleSeconds * 1000);
    const idleMb = residentMb(server.pid);
    const status = await Promise.race([server.stop(), Bun.sleep(60_000)]);
    await upstream.stop(true);
    const losses = [
      ...(watch.peakMb > maxMixMb ? [`the mix takes ${watch.peakMb} MB, not ${maxMixMb}`] : []),
      ...(idleMb > maxIdleMb ? [`${idleMb} MB are left after it, not ${maxIdleMb}`] : []),
      ...(status === 0 ? [] : [`the server ended with ${status}`]),
      ...Object.entries(counts).flatMap(([name, { done, errors }]) => [
        ...(done + (errors['503'] ?? 0) === 0 ? [`${name}: nothing was answered`] : []),
        ...Object.keys(errors)
          .filter((kind) => /^5(?!03)/.test(kind) || kind === 'Error')
          .map((kind) => `${name}: ${kind}`),
      ]),
    ];
    return {
      figures: {
        'RSS before, MB': startMb,
        'RSS peak, MB': watch.peakMb,
        'RSS at the end, MB': endMb,
        [`RSS ${idleSeconds} s later, MB`]: idleMb,
        'health, median and p99, ms': `${watch.medianMs}, ${watch.p99Ms}`,
        ...Object.fromEntries(Object.entries(counts).map(([name, it]) => [name, describe(it)])),
      },
      losses,
    };
  },
});

async function runClient(name: string, client: Client, world: World, counts: Counts) {
  counts[name] ??= { done: 0, errors: {} };
  const { errors } = counts[name];
  while (!world.signal.aborted) {
    const result = await client(world).catch((error: unknown) =>
      error instanceof Error ? error.name : String(error),
    );
    if (world.signal.aborted) break;
    if (result === 'ok') counts[name].done++;
    else errors[result] = (errors[result] ?? 0) + 1;
    // A refusal is no reason to come back at once.
    if (result !== 'ok') await Bun.sleep(100);
  }
}

async function seed({ url, token }: World): Promise<void> {
  const lines = Array.from({ length: SEED_ITEMS }, (_, index) =>
    JSON.stringify({ title: `seed ${index}`, description: 'straw carrots wood '.repeat(20) }),
  );
  const answer = await fetch(`${url}/api/v2/items/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  if (!answer.ok) throw new Error(`Seeding was answered ${answer.status}.`);
}

async function watchServer(
  { url }: World,
  pid: number,
  forMs: number,
  say: (line: string) => void,
) {
  const delays: number[] = [];
  let peakMb = 0;
  const start = performance.now();
  for (let look = 1; performance.now() - start < forMs; look++) {
    const asked = performance.now();
    await fetch(`${url}/health/live`).then((answer) => answer.arrayBuffer());
    delays.push(performance.now() - asked);
    const rssMb = residentMb(pid);
    peakMb = Math.max(peakMb, rssMb);
    if (look % 30 === 0) say(`${look} s: RSS ${rssMb} MB, health ${delays.at(-1)?.toFixed(0)} ms`);
    await Bun.sleep(LOOK_MS);
  }
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { peakMb, medianMs: at(0.5), p99Ms: at(0.99) };
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
}

function describe({ done, errors }: Counts[string]): string {
  const others = Object.entries(errors).map(([kind, count]) => `${kind} ${count}`);
  return [`${done} done`, ...others].join(', ');
}
