/**
 * The cost of a filter that no index serves: `title like *77*` over 100,000 items, 20 a page, newest
 * first. Prints the CPU of a request to Hutch and of the plain scan of its file by SQLite, in this
 * process. With BENCH_POCKETBASE, the path of a binary of PocketBase, also that of a request to it over
 * the same titles. The servers are asked in turn.
 */
import { Database } from 'bun:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grow } from './grown.ts';
import { median } from './load/measure.ts';
import {
  cpuSeconds,
  pinned,
  pinSelf,
  SERVER_CORE,
  type Server,
  startServer,
} from './load/process.ts';
import { describeMachine } from './machine.ts';
import { table } from './report.ts';
import { hutchCommand, prepareHutch, run } from './stage.ts';

const ITEMS = 100_000;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const REQUESTS = 400;
const CONNECTIONS = 2;
const PATTERN = '77';
const PAGE = 20;
const PORT = 18_090;
const ADMIN = { identity: 'admin@example.com', password: 'admin password 1' };

interface Asked extends Pick<Server, 'name' | 'pid'> {
  url: string;
}

const dir = mkdtempSync(join(tmpdir(), 'hutch-filter-'));
try {
  pinSelf();
  await main();
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  await prepareHutch();
  await using servers = new AsyncDisposableStack();
  const dataDir = join(dir, 'hutch');
  await grow(dataDir, ITEMS);
  const path = join(dataDir, 'hutch.db');
  const hutch = await startServer(hutchCommand(dataDir), new AbortController().signal);
  servers.defer(hutch.stop);
  const query = `limit=${PAGE}&filter[title][like]=*${PATTERN}*`;
  const asked: Asked[] = [{ ...hutch, url: `${hutch.url}/api/v2/items?${query}` }];
  const binary = process.env['BENCH_POCKETBASE'];
  if (binary) {
    const other = await startPocketBase(binary, path);
    servers.defer(other.stop);
    asked.push(other);
  }
  const micros = new Map<string, number[]>();
  const note = (name: string, value: number) =>
    micros.set(name, [...(micros.get(name) ?? []), value]);
  for (const one of asked) await cpuOf(one);
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of asked) note(one.name, await cpuOf(one));
    note('SQLite alone', scanMicros(path));
  }
  const rows = [...micros].map(([name, values]) => [name, median(values).toFixed(0)]);
  console.log(`\n${describeMachine(dir).join('\n')}\n`);
  console.log(table(['a page of a filter', 'µs CPU'], rows));
}

/** The CPU microseconds of one request. */
async function cpuOf({ pid, url, name }: Asked): Promise<number> {
  const before = cpuSeconds(pid);
  for (let sent = 0; sent < REQUESTS; sent += CONNECTIONS) {
    const answers = Array.from({ length: CONNECTIONS }, async () => {
      const answer = await fetch(url);
      const { data, items } = (await answer.json()) as Record<string, unknown[]>;
      const { length } = data ?? items ?? [];
      // On a busy machine a page of Hutch may be short: it waits for its turn no longer than 250 ms.
      if (length < PAGE / 2)
        throw new Error(`${name} has ${length} rows, with status ${answer.status}.`);
    });
    await Promise.all(answers);
  }
  return ((cpuSeconds(pid) - before) * 1e6) / REQUESTS;
}

/** The CPU microseconds of the plain scan, which knows no hidden items and no bounds. */
function scanMicros(path: string): number {
  using client = new Database(path, { readonly: true });
  const scan = client.prepare(
    'select * from items join item_views on item_id = id where title like ? order by id desc limit ?',
  );
  scan.all(`%${PATTERN}%`, PAGE);
  const before = process.cpuUsage();
  for (let sent = 0; sent < REQUESTS; sent++) scan.all(`%${PATTERN}%`, PAGE);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

/** Starts PocketBase over a collection with the items of a file of Hutch. */
async function startPocketBase(
  binary: string,
  path: string,
): Promise<Asked & { stop(): Promise<void> }> {
  const dataDir = join(dir, 'pocketbase');
  await run([binary, 'superuser', 'upsert', ADMIN.identity, ADMIN.password, '--dir', dataDir]);
  const first = await servePocketBase(binary, dataDir);
  await createCollection(first.url);
  await first.stop();
  copyItems(path, join(dataDir, 'data.db'));
  const server = await servePocketBase(binary, dataDir);
  const query = `perPage=${PAGE}&skipTotal=1&sort=-@rowid&filter=${encodeURIComponent(`title~'${PATTERN}'`)}`;
  return { ...server, url: `${server.url}/api/collections/items/records?${query}` };
}

async function servePocketBase(binary: string, dataDir: string) {
  const args = [binary, 'serve', '--http', `127.0.0.1:${PORT}`, '--dir', dataDir];
  const child = Bun.spawn(pinned(args, SERVER_CORE), { stdout: 'ignore', stderr: 'inherit' });
  const url = `http://127.0.0.1:${PORT}`;
  while (!(await fetch(`${url}/api/health`).catch(() => undefined))) await Bun.sleep(50);
  const stop = async () => {
    child.kill('SIGTERM');
    await child.exited;
  };
  return { name: 'PocketBase', pid: child.pid, url, stop };
}

async function createCollection(url: string): Promise<void> {
  const post = async (route: string, body: object, token = '') => {
    const headers = { 'content-type': 'application/json', authorization: token };
    const answer = await fetch(`${url}/api/collections${route}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${route}: ${await answer.text()}`);
    return (await answer.json()) as { token: string };
  };
  const { token } = await post('/_superusers/auth-with-password', ADMIN);
  const fields = ['title', 'description', 'url', 'created', 'updated'].map((name) => ({
    name,
    type: 'text',
    max: 10_000,
  }));
  await post('', { name: 'items', type: 'base', listRule: '', viewRule: '', fields }, token);
}

function copyItems(from: string, to: string): void {
  using client = new Database(to, { strict: true });
  client.run('ATTACH ? AS hutch', [from]);
  client.run(
    `INSERT INTO items (id, title, description, url, created, updated)
     SELECT printf('%015d', id), title, description, coalesce(url, ''), created_at, updated_at
     FROM hutch.items ORDER BY id`,
  );
}
