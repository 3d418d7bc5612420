import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/core/config/config.ts';
import { createDeps } from '../src/core/deps.ts';
import { createLog } from '../src/core/log.ts';
import { nextTurn } from '../src/utils/async/event-loop.ts';
import { BLOCKERS } from './blocking-loads.ts';
import { median } from './load/measure.ts';

/**
 * Prints, as JSON, the longest turn of the event loop that each query takes over the database of
 * the directory that is named, in ms of CPU time: the median of some rounds, when all is warm.
 */
const ROUNDS = 7;

const [dataDir = ''] = Bun.argv.slice(2);
const log = createLog({ level: 'error', format: 'json', write: () => {}, now: () => new Date() });
const config = {
  ...loadConfig({}, {}),
  dataDir,
  rateLimit: 'off',
  admissionControl: 'off',
} as const;
const deps = createDeps(config, { log });
const app = createApp(deps);
const longest: Record<string, number> = {};
for (const { name, path, token } of BLOCKERS) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const ask = async () => {
    const answer = await app.handle(new Request(`http://localhost${path}`, { headers }));
    await answer.arrayBuffer();
  };
  await ask();
  await ask();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await longestTurn(ask));
  longest[name] = median(rounds);
}
await deps.close();
console.log(JSON.stringify(longest));

async function longestTurn(work: () => Promise<void>): Promise<number> {
  let isOver = false;
  let most = 0;
  const watch = async () => {
    for (let before = cpuMs(); !isOver; ) {
      await nextTurn();
      const now = cpuMs();
      most = Math.max(most, now - before);
      before = now;
    }
  };
  const watching = watch();
  await work();
  isOver = true;
  await watching;
  return most;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
