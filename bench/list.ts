/**
 * Where the time of a list of 100 items goes, in this process: `bun bench/list.ts`. Medians in µs of
 * server CPU, the stages by turns. What Elysia would do (copy by the schema, then stringify) stands
 * beside what is done.
 */

import { actorFor } from '../src/core/actor.ts';
import '../src/production.ts';

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/core/config/config.ts';
import { createDeps } from '../src/core/deps.ts';
import { createLog } from '../src/core/log.ts';
import { ItemsPublic } from '../src/schemas/items/items.ts';
import { median } from './load/measure.ts';
import { table } from './report.ts';

const ITEMS = 100;
const ROUNDS = 15;
const CALLS = 200;
/** Sizes of the JSON in each item: none, and a typical app's. */
const DATA_BYTES = [0, 1_700];

const dataDir = mkdtempSync(join(tmpdir(), 'hutch-list-'));
const log = createLog({
  level: 'error',
  format: 'json',
  write: console.error,
  now: () => new Date(),
});
const config = { ...loadConfig({}, {}), dataDir, rateLimit: 'off' as const };
const deps = createDeps(config, { log });
const app = createApp(deps);
try {
  const rows: string[][] = [];
  for (const bytes of DATA_BYTES) rows.push(...(await rowsOf(bytes)));
  console.log(table(['data in each item', 'stage', 'µs'], rows));
} finally {
  await deps.close();
  rmSync(dataDir, { recursive: true });
}

async function rowsOf(bytes: number): Promise<string[][]> {
  const name = `bench${bytes}`;
  const account = { email: `${name}@example.com`, username: name, password: 'not used by anyone' };
  const owner = await deps.users.create(account);
  const data = bytes > 0 ? { text: 'x'.repeat(bytes - 20), list: [1, 2, 3] } : {};
  for (let index = 0; index < ITEMS; index++) {
    const more = { description: 'What there is to say about it.', url: null, tags: ['wood'], data };
    await deps.items.create(actorFor(owner), {
      title: `Item ${index}`,
      visibility: 'public',
      ...more,
    });
  }
  const skip = bytes > 0 ? ITEMS : 0;
  const plain = await deps.items.list(skip, ITEMS);
  const whole = await body(`/api/v2/items?sort=id&limit=100&filter[owner_id][eq]=${owner.id}`);
  const { data: shown } = JSON.parse(whole) as { data: unknown[] };
  const texts = shown.map((item) => JSON.stringify((item as { data: unknown }).data));
  const stages: [string, () => unknown][] = [
    ['v1: whole request', () => body(`/api/v1/items/?skip=${skip}&limit=100`)],
    ['v1: of it reading the rows', () => deps.items.list(skip, ITEMS)],
    ['v1: of it JSON', () => JSON.stringify(plain)],
    ['v1: JSON as Elysia creates it', () => JSON.stringify(Value.Clean(ItemsPublic, [...plain]))],
    [
      'v2: whole request',
      () => body(`/api/v2/items?sort=id&limit=100&filter[owner_id][eq]=${owner.id}`),
    ],
    [
      'v2: stored JSON parsed and written again, which is left out',
      () => JSON.stringify(texts.map((it) => JSON.parse(it))),
    ],
  ];
  const times = await measure(stages.map(([, work]) => work));
  return stages.map(([stage], index) => [String(bytes), stage, (times[index] ?? 0).toFixed(0)]);
}

async function body(path: string): Promise<string> {
  const answer = await app.handle(new Request(`http://localhost${path}`));
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.text();
}

/** Medians in µs, by turns, after a warm-up of one round. */
async function measure(works: (() => unknown)[]): Promise<number[]> {
  const times = works.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      for (let call = 0; call < CALLS; call++) await work();
      if (round > 0) times[index]?.push(((performance.now() - start) * 1000) / CALLS);
    }
  }
  return times.map(median);
}
