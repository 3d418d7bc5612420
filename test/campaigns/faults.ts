import { rmSync } from 'node:fs';
import { ADMIN, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { campaign, seededRandom } from './campaign.ts';
import { acknowledged, createLedger, findLosses, type Ledger } from './ledger.ts';
import { createFaults, type Fault, type OpKind } from './shims/disk-shim.ts';
import { hasShim } from './shims/shim.ts';
import { type Answers, type Target, writeUntilGone } from './writers.ts';

const EIO = 5;
const ENOSPC = 28;
const EDQUOT = 122;
const SHORT = 0;

/** The disk faults, by name. */
const KINDS: [name: string, ops: OpKind[], error: number][] = [
  ['EIO on write', ['write'], EIO],
  ['ENOSPC on write', ['write'], ENOSPC],
  ['EDQUOT on write', ['write'], EDQUOT],
  ['short writes', ['write'], SHORT],
  ['EIO on fsync', ['sync'], EIO],
  ['ENOSPC on fsync', ['sync'], ENOSPC],
  ['EIO on read', ['read'], EIO],
  ['EIO on truncate', ['truncate'], EIO],
  ['EIO on open', ['open'], EIO],
  ['EIO on everything', ['write', 'sync', 'read', 'truncate', 'open'], EIO],
];
/** The allowed statuses while the disk fails: success, busy, failed, full. */
const ALLOWED = /^(2\d\d|503|507)$/;
const FAULT_MS = 300;
const RECOVERY_MS = 10_000;
const TRIALS_A_DATABASE = 20;

/** Makes the disk fail under load, and looks at the answers, at what is stored and at the recovery. */
export const faults = campaign({
  summary:
    'a disk that fails or is full under load: nothing acknowledged is lost, and it recovers.',
  options: { trials: 200, writers: 4, seed: 1 },
  run: async (options, say) => {
    if (!(await hasShim())) return { figures: { faults: 'none: no C compiler' }, losses: [] };
    const random = seededRandom(options.seed);
    const losses: string[] = [];
    const tally: Tally = { hits: 0, restarts: 0, writes: 0, answers: {} };
    for (let done = 0; done < options.trials && losses.length === 0; done += TRIALS_A_DATABASE) {
      const count = Math.min(TRIALS_A_DATABASE, options.trials - done);
      losses.push(...(await tryDatabase({ first: done, count, random, ...options }, tally)));
      say(`${done + count} faults, ${tally.hits} failed operations, ${losses.length} losses`);
    }
    const figures = {
      faults: options.trials,
      'failed operations': tally.hits,
      'acknowledged writes': tally.writes,
      'exits of the server': tally.restarts,
      ...tally.answers,
    };
    return { figures, losses };
  },
});

interface Tally {
  hits: number;
  restarts: number;
  writes: number;
  /** Counts of statuses, by fault. */
  answers: Record<string, string>;
}

interface Run {
  first: number;
  count: number;
  writers: number;
  random: () => number;
}

async function tryDatabase({ first, count, writers, random }: Run, tally: Tally) {
  const dir = tempDir();
  const disk = createFaults(dir);
  const ledger = createLedger();
  const losses: string[] = [];
  const start = () => serve(dir, { env: { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off', ...disk.env } });
  let server = await start();
  let token = await server.signIn(ADMIN.username, ADMIN.password);
  for (let trial = first; trial < first + count && losses.length === 0; trial++) {
    const [name, ops, error] = KINDS[trial % KINDS.length] ?? ['', [], 0];
    const some = random() < 0.5 ? 1 + Math.floor(random() * 3) : -1;
    const fault = { ops, error, skip: Math.floor(random() * 60), count: some };
    const target = { url: server.url, token };
    const load = { fault, name: `${trial}`, writers };
    const { answers, hits } = await loadDuring(target, disk, ledger, load);
    tally.hits += hits;
    tally.answers[name] = describe(answers);
    const wrong = Object.keys(answers).filter((status) => !ALLOWED.test(status));
    const hasEnded = server.hasEnded();
    if (hasEnded) {
      tally.restarts++;
      server = await start();
      token = await server.signIn(ADMIN.username, ADMIN.password);
    } else {
      losses.push(...wrong.map((status) => `${name} was answered ${status}`));
    }
    if (!(await recovers(server, token))) losses.push(`after ${name} it does not recover`);
  }
  await server.stop();
  losses.push(...findLosses(dir, ledger));
  tally.writes += acknowledged(ledger);
  rmSync(dir, { recursive: true });
  return losses;
}

interface Load {
  fault: Fault;
  name: string;
  writers: number;
}

/** Writes and reads before, during and after the fault; what was answered, by status. */
async function loadDuring(
  target: Target,
  disk: ReturnType<typeof createFaults>,
  ledger: Ledger,
  { fault, name, writers }: Load,
): Promise<{ answers: Answers; hits: number }> {
  const ending = new AbortController();
  const running = Array.from({ length: writers }, (_, writer) =>
    writeUntilGone(target, ledger, `${name}.${writer}`, ending.signal),
  );
  const reading = ['/api/v2/items', '/api/v2/users/me', '/api/v1/items/popular'].map((path) =>
    readUntil(target, path, ending.signal),
  );
  await Bun.sleep(100);
  disk.set(fault);
  await Bun.sleep(FAULT_MS);
  const hits = disk.hits();
  disk.clear();
  await Bun.sleep(50);
  ending.abort();
  const answers: Answers = {};
  for (const each of await Promise.all([...running, ...reading])) {
    for (const [status, count] of Object.entries(each)) {
      answers[status] = (answers[status] ?? 0) + count;
    }
  }
  return { answers, hits };
}

async function readUntil({ url, token }: Target, path: string, signal: AbortSignal) {
  const answers: Answers = {};
  const headers = { authorization: `Bearer ${token}` };
  while (!signal.aborted) {
    const status = await fetch(url + path, { headers }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return String(answer.status);
      },
      () => 'none',
    );
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === 'none') break;
  }
  return answers;
}

/** True if the server becomes ready and accepts a write within some seconds. */
async function recovers({ url }: RunningHutch, token: string): Promise<boolean> {
  const until = performance.now() + RECOVERY_MS;
  while (performance.now() < until) {
    const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
    const me = await fetch(`${url}/api/v2/users/me`, {
      headers: { authorization: `Bearer ${token}` },
    }).catch(() => undefined);
    if (ready?.ok && me?.ok) return true;
    await Bun.sleep(100);
  }
  return false;
}

function describe(answers: Answers): string {
  return Object.entries(answers)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
}
