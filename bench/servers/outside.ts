/**
 * The way out alone, in one process and by turns: the plain floor, a cold cache and a warm one.
 * The arguments are upstreams; it prints one line of JSON with medians.
 */
import { createCache } from '../../src/core/cache.ts';
import { createOutbound } from '../../src/core/outbound/client.ts';
import { median } from '../load/measure.ts';

/** The cost of calling a number of upstreams at once. */
export interface Outside {
  upstreams: number;
  /** Promise.all of fetch. */
  floorMs: number;
  coldMs: number;
  warmMs: number;
  /** The same number of hits in the cache of the app's responses. */
  cacheMs: number;
  /** CPU time of one call, in all threads of the process. */
  floorCpuMs: number;
  coldCpuMs: number;
}

const TURNS = 30;
const WARM_UPS = 5;
/** Hits are timed by the hundred. */
const HITS = 100;

const upstreams = Bun.argv.slice(2);
const outbound = createOutbound({
  version: '0.0.0',
  allowHosts: upstreams.map((url) => new URL(url).hostname),
});
const cache = createCache({ maxEntries: 1_000, maxBytes: 1e7, now: performance.now });
const keep = cache.wrap({ name: 'outside', ttlMs: 60_000 }, plain);

const rows = [8, 64].map((count) => upstreams.slice(0, count));
const measured: Outside[] = [];
for (const urls of rows) measured.push(await compare(urls));
outbound.close();
console.log(JSON.stringify(measured));

async function compare(urls: string[]): Promise<Outside> {
  const floors: Spent[] = [];
  const colds: Spent[] = [];
  const warms: Spent[] = [];
  const hits: Spent[] = [];
  const all = (one: (url: string) => Promise<unknown>) => () => Promise.all(urls.map(one));
  for (let turn = -WARM_UPS; turn < TURNS; turn++) {
    // A unique key misses the cache; the same request, as sources send it, hits it.
    const cache = { key: String(turn), ttlMs: 60_000 };
    const requests = new Map(urls.map((url) => [url, { url, cache }]));
    const through = async (url: string) => {
      const { data } = await outbound.call(requests.get(url) ?? { url });
      return data;
    };
    const floor = await timed(1, all(plain));
    const cold = await timed(1, all(through));
    const warm = await timed(HITS, all(through));
    await all(keep)();
    const hit = await timed(HITS, all(keep));
    if (turn < 0) continue;
    floors.push(floor);
    colds.push(cold);
    warms.push(warm);
    hits.push(hit);
  }
  const [floor, cold] = [medians(floors), medians(colds)];
  return {
    upstreams: urls.length,
    floorMs: floor.ms,
    coldMs: cold.ms,
    warmMs: medians(warms).ms,
    cacheMs: medians(hits).ms,
    floorCpuMs: floor.cpuMs / urls.length,
    coldCpuMs: cold.cpuMs / urls.length,
  };
}

function medians(all: Spent[]): Spent {
  return { ms: median(all.map(({ ms }) => ms)), cpuMs: median(all.map(({ cpuMs }) => cpuMs)) };
}

async function plain(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

interface Spent {
  ms: number;
  cpuMs: number;
}

async function timed(times: number, task: () => Promise<unknown>): Promise<Spent> {
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  for (let count = 0; count < times; count++) await task();
  const { user, system } = process.cpuUsage(cpuBefore);
  return { ms: (performance.now() - start) / times, cpuMs: (user + system) / 1_000 / times };
}
