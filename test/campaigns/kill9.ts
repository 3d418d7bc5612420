import { rmSync } from 'node:fs';
import { ADMIN, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { until } from '../until.ts';
import { campaign, seededRandom } from './campaign.ts';
import {
  acknowledged,
  copyDatabase,
  createLedger,
  findLosses,
  type Ledger,
  wallMs,
} from './ledger.ts';
import { writeUntilGone } from './writers.ts';

/** Trials on one database: checking it takes as long as it is large. */
const TRIALS_A_DATABASE = 20;

/** Kills the server with -9 while it is written to, and looks for what it had acknowledged. */
export const kill9 = campaign({
  summary: 'kill -9 while N writers write: nothing acknowledged is lost.',
  options: { trials: 300, writers: 8, seed: 1 },
  run: async ({ trials, writers, seed }, say) => {
    const random = seededRandom(seed);
    const losses: string[] = [];
    let total = 0;
    for (let done = 0; done < trials && losses.length === 0; done += TRIALS_A_DATABASE) {
      const count = Math.min(TRIALS_A_DATABASE, trials - done);
      const dir = tempDir();
      const ledger = createLedger();
      for (let trial = 0; trial < count && losses.length === 0; trial++) {
        await killOnce(dir, ledger, { trial, writers, afterMs: random() * 200 });
        losses.push(...lossesOfCopy(dir, ledger));
      }
      losses.push(...(await lossesOfServer(dir, ledger)));
      total += acknowledged(ledger);
      rmSync(dir, { recursive: true });
      say(`${done + count} kills, ${total} writes acknowledged, ${losses.length} losses`);
    }
    return { figures: { kills: trials, 'acknowledged writes': total }, losses };
  },
});

interface Trial {
  trial: number;
  writers: number;
  /** From the time at which the server has acknowledged as many writes as there are writers. */
  afterMs: number;
}

async function killOnce(dir: string, ledger: Ledger, { trial, writers, afterMs }: Trial) {
  const server = await serve(dir, { env: { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const before = acknowledged(ledger);
  const running = Array.from({ length: writers }, (_, writer) =>
    writeUntilGone({ url: server.url, token }, ledger, `${trial}.${writer}`),
  );
  await until(() => acknowledged(ledger) >= before + writers);
  await Bun.sleep(afterMs);
  server.kill('SIGKILL');
  await Promise.all(running);
  await server.exited;
}

/** Checks a copy, because the next start must find the log as the kill left it. */
function lossesOfCopy(dir: string, ledger: Ledger): string[] {
  const copy = tempDir();
  copyDatabase(dir, copy);
  const losses = findLosses(copy, ledger);
  rmSync(copy, { recursive: true });
  return losses;
}

/** Once the server itself has recovered, repeated every key that it may know, and stopped. */
async function lossesOfServer(dir: string, ledger: Ledger): Promise<string[]> {
  const server = await serve(dir, { env: { HUTCH_RATE_LIMIT: 'off' } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const unanswered = [...ledger.entries.values()].filter(
    ({ isKeyed, acknowledgedAt }) => isKeyed && acknowledgedAt === undefined,
  );
  for (const entry of unanswered) {
    const answer = await fetch(`${server.url}/api/v2/items`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'idempotency-key': entry.title,
      },
      body: JSON.stringify({ title: entry.title }),
    });
    if (answer.status === 201) entry.acknowledgedAt = wallMs();
  }
  await server.stop();
  return [
    ...unanswered
      .filter(({ acknowledgedAt }) => acknowledgedAt === undefined)
      .map(({ title }) => `${title} was refused when it was sent again with its key`),
    ...findLosses(dir, ledger),
  ];
}
