import { type ExternalScene, ratio } from './external.ts';
import { drive, median } from './load/measure.ts';
import { cpuSeconds } from './load/process.ts';
import { formatRequests } from './load/requests.ts';
import type { Single } from './report.ts';
import { ADMIN_ID, tokenOf } from './seed.ts';

const CONNECTIONS = 32;
const SOURCE = '/api/v2/sources/bench';
const POPULAR = '/api/v2/items/popular?window=all';

/** Compares cached responses of a source with those of popular items, over HTTP and in turn. */
export async function measureCachedSource(scene: ExternalScene): Promise<Single> {
  await defineSource(scene);
  const costs: [source: number, popular: number][] = [];
  for (let turn = 0; turn <= scene.rig.rounds; turn++) {
    const cost = [await costMs(scene, SOURCE), await costMs(scene, POPULAR)] as const;
    // The first turn warms up.
    if (turn > 0) costs.push([...cost]);
  }
  const [source, popular] = [median(costs.map(([it]) => it)), median(costs.map(([, it]) => it))];
  return ratio('a cached response of a source ÷ popular items, CPU', source, popular);
}

async function defineSource({ hutch, upstreams }: ExternalScene): Promise<void> {
  const body = { name: 'bench', base_url: upstreams[0], path: '/data', access: 'public' };
  const answer = await fetch(`${hutch.url}/api/v2/sources`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(ADMIN_ID)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, ttl_seconds: 3600 }),
  });
  if (answer.status !== 201) throw new Error(`The source: ${await answer.text()}`);
}

/** CPU of the server for one request, ms. */
async function costMs({ rig, hutch }: ExternalScene, path: string): Promise<number> {
  const file = `${rig.dir}/cached.txt`;
  await Bun.write(file, formatRequests([{ method: 'GET', path }]));
  const before = cpuSeconds(hutch.pid);
  const { requests, failed } = await drive(rig, hutch, file, CONNECTIONS, rig.seconds);
  if (failed > 0) throw new Error(`${failed} requests for ${path} failed`);
  return ((cpuSeconds(hutch.pid) - before) * 1000) / requests;
}
