import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '../../support.ts';
import { ADMIN, hutch, type RunningHutch, serve } from '../hutch.ts';

const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
const MB = 1_000_000;
const CHUNK = 200;
/** Half of the input: uncollected garbage, 110 MB after 100 MB and also after 1.4 GB. */
const MAX_GROWTH_MB = 150;

async function started(dir = tempDir()) {
  const server = await serve(dir, { env: ENV });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  return { dir, server, token, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('in the server process', () => {
  // proves: costly-work.imports
  test('300 MB are read, and 20 MB are imported and exported, without being held in memory', async () => {
    await using it = await started();
    await importBytes(it, 2 * MB);
    await exportBytes(it);
    const before = peakMb(it.server);
    expect((await importBytes(it, 300 * MB, '?dry_run=true')).failed).toBe(0);
    const { created } = await importBytes(it, 20 * MB);
    expect(created).toBeGreaterThan(15_000);
    expect(await exportBytes(it)).toBeGreaterThan(20 * MB);
    expect(peakMb(it.server) - before).toBeLessThan(MAX_GROWTH_MB);
  }, 60_000);

  test('an import may take longer than the idle timeout of a connection', async () => {
    const env = { ...ENV, HUTCH_IDLE_SECONDS: '4' };
    await using server = await serve(tempDir(), { env });
    const token = await server.signIn(ADMIN.username, ADMIN.password);
    // So large that Bun pauses reading, and so many rows that they take longer than 4 s.
    const rows = 2_500_000;
    const response = await fetch(`${server.url}/api/v2/items/import?dry_run=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/csv' },
      body: `title\n${'x\n'.repeat(rows)}`,
    });
    expect(await response.json()).toMatchObject({ created: rows, failed: 0 });
  }, 120_000);

  test.each(['/api/v2/items/export', '/api/v2/users/me/export'])(
    // proves: costly-work.exports-including-that-of-an-account
    'a reader of %s that stops reading does not increase the memory',
    async (path) => {
      await using it = await started();
      await importBytes(it, 20 * MB);
      const before = peakMb(it.server);
      const readers = Array.from({ length: 8 }, () => stuckReader(it, path));
      await Bun.sleep(500);
      expect(peakMb(it.server) - before).toBeLessThan(64);
      for (const reader of readers) reader.destroy();
      expect(await exportBytes(it, path)).toBeGreaterThan(20 * MB);
    },
    60_000,
  );

  test('complete transactions remain if a client disconnects', async () => {
    await using it = await started();
    const abort = new AbortController();
    const sent = fetch(`${it.server.url}/api/v2/items/import`, {
      method: 'POST',
      headers: headersOf(it.token),
      body: generated(50 * MB),
      signal: abort.signal,
    });
    await untilSome(it.dir);
    abort.abort();
    expect(await sent.catch((error: Error) => error.name)).toBe('AbortError');
    const { status } = await fetch(`${it.server.url}/health/ready`);
    expect(status).toBe(200);
    await it.server.stop();
    const count = countOf(it.dir);
    expect([count > 0, count % CHUNK]).toEqual([true, 0]);
    expect(it.server.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 30_000);

  test('killed with -9 it leaves complete transactions and an intact database', async () => {
    await using it = await started();
    const sent = importBytes(it, 50 * MB).catch(() => 'cut');
    await untilSome(it.dir);
    it.server.kill('SIGKILL');
    expect(await sent).toBe('cut');
    await it.server.exited;
    const count = countOf(it.dir);
    expect([count > 0, count % CHUNK]).toEqual([true, 0]);
  }, 30_000);
});

describe('hutch items', () => {
  test('exports and imports equal items while a server runs', async () => {
    await using it = await started();
    await importBytes(it, MB);
    for (const name of ['items.jsonl', 'items.csv']) {
      const file = join(it.dir, name);
      const flags = ['--data-dir', it.dir, '--owner', 'root'];
      const out = await hutch(['items', 'export', file, ...flags]);
      expect(out).toMatchObject({ stderr: '', status: 0 });
      const other = tempDir();
      await hutch(['migrate', '--data-dir', other]);
      await makeRoot(other);
      const back = await hutch(['items', 'import', file, '--data-dir', other, '--owner', 'root']);
      expect(back).toMatchObject({ stderr: '', status: 0 });
      expect(back.stdout.match(/\d+/)?.[0]).toBe(out.stdout.match(/\d+/)?.[0] as string);
      const all = 'select title, description, url, tags, data, visibility from items order by id';
      expect(query(other, all)).toEqual(query(it.dir, all));
    }
  }, 30_000);

  test('lists invalid lines on stderr and exits with 1', async () => {
    await using it = await started();
    const file = join(it.dir, 'bad.csv');
    await Bun.write(file, 'title,data\na,\n,\nb,x\n');
    const flags = ['--data-dir', it.dir, '--owner', 'ROOT@example.com'];
    const dry = await hutch(['items', 'import', '--dry-run', file, ...flags]);
    expect(dry).toMatchObject({ status: 1, stdout: 'Would import 1, bad lines 2.\n' });
    expect(countOf(it.dir)).toBe(0);
    expect(await hutch(['items', 'import', file, ...flags])).toEqual({
      status: 1,
      stdout: 'Imported 1, bad lines 2.\n',
      stderr: 'Line 3: title: Field required\nLine 4: data: JSON decode error\n',
    });
    const out = await hutch(['items', 'export', '-', '--format', 'csv', '--data-dir', it.dir]);
    expect(out.stdout).toBe('title,description,url,tags,data,visibility\r\na,,,,,public\r\n');
  }, 30_000);

  test('exports to a pipe or device without replacing it', async () => {
    const dir = tempDir();
    const pipe = join(dir, 'pipe');
    expect(Bun.spawnSync(['mkfifo', pipe]).exitCode).toBe(0);
    const [out, text] = await Promise.all([
      hutch(['items', 'export', pipe, '--format', 'csv', '--data-dir', dir]),
      Bun.spawn(['timeout', '10', 'cat', pipe]).stdout.text(),
    ]);
    expect(out).toMatchObject({ status: 0, stdout: 'Exported 0.\n' });
    expect(text).toStartWith('title,');
    expect(lstatSync(pipe).isFIFO()).toBe(true);
  }, 20_000);

  test('exports through a link into its target', async () => {
    const dir = tempDir();
    const [file, link] = [join(dir, 'items.csv'), join(dir, 'link.csv')];
    await Bun.write(file, 'old');
    symlinkSync(file, link);
    expect((await hutch(['items', 'export', link, '--data-dir', dir])).status).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toStartWith('title,');
  }, 20_000);

  test('explains wrong usage', async () => {
    const dir = ['--data-dir', tempDir()];
    const wrong = [
      ['items', 'import', ...dir, '--owner', 'root'],
      ['items', 'import', '/nowhere.csv', '--owner', 'root', ...dir],
      ['items', 'import', '-', ...dir],
      ['items', 'import', '-', '--owner', 'x', '--format', 'xml', ...dir],
      ['items', 'import', '-', '--owner', 'x', '--dry-run', '1', ...dir],
      ['items', 'export', '/nowhere/items.csv', ...dir],
      ['items', 'import', '-', '--owner', 'nobody', ...dir],
    ];
    const ends = await Promise.all(wrong.map((args) => hutch(args)));
    expect(ends.map(({ status, stderr }) => `${status} ${stderr.split('\n')[0]}`)).toEqual([
      "2 Missing required argument 'FILE'",
      '2 /nowhere.csv cannot be read: no such file or directory.',
      "2 Required option '--owner <account>' not specified",
      "2 Option '--format <format>' argument 'xml' is invalid. Allowed choices are jsonl, csv.",
      "2 Too many arguments for 'import'. Expected 1 argument but got 2: -, 1.",
      '2 /nowhere/items.csv.part cannot be written: no such file or directory.',
      '1 hutch items import: There is no account nobody.',
    ]);
  }, 20_000);
});

type Started = Awaited<ReturnType<typeof started>>;

const headersOf = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/x-ndjson',
});

/** Yields about `bytes` of items in chunks. */
function generated(bytes: number): ReadableStream<Uint8Array> {
  const words = 'hutch rabbit straw carrot wooden garden night morning '.repeat(18);
  let sent = 0;
  return new ReadableStream({
    pull: (controller) => {
      const piece = Array.from({ length: 100 }, (_, index) =>
        JSON.stringify({ title: `Item ${sent + index}`, description: words, tags: ['=a', 'b;c'] }),
      );
      const text = Buffer.from(`${piece.join('\n')}\n`);
      controller.enqueue(text);
      sent += text.byteLength;
      if (sent >= bytes) controller.close();
    },
  });
}

async function importBytes({ server, token }: Started, bytes: number, search = '') {
  const response = await fetch(`${server.url}/api/v2/items/import${search}`, {
    method: 'POST',
    headers: headersOf(token),
    body: generated(bytes),
  });
  return (await response.json()) as { created: number; failed: number };
}

async function exportBytes(
  { server, token }: Started,
  path = '/api/v2/items/export',
): Promise<number> {
  const headers = headersOf(token);
  const response = await fetch(`${server.url}${path}`, { headers });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
  return bytes;
}

/** Requests an export and reads none of it. */
function stuckReader({ server, token }: Started, path: string) {
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`];
  socket.pause();
  socket.write(`${lines.join('\r\n')}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  return socket;
}

/** The peak memory of the server. */
function peakMb({ pid }: RunningHutch): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(status.match(/VmHWM:\s+(\d+)/)?.[1]) / 1024;
}

async function untilSome(dir: string): Promise<void> {
  while (countOf(dir) === 0) await Bun.sleep(5);
}

function countOf(dir: string): number {
  return Number(query(dir, 'select count(*) from items')[0]);
}

function query(dir: string, text: string): unknown[] {
  using db = new Database(join(dir, 'hutch.db'));
  db.run('pragma busy_timeout = 5000');
  return db.query(text).values().flat();
}

async function makeRoot(dir: string): Promise<void> {
  const secret = join(dir, 'secret');
  await Bun.write(secret, 'straw-bed-77');
  const account = ['--email', 'root@example.com', '--username', 'root', '--password-file', secret];
  await hutch(['admin', 'create', '--data-dir', dir, ...account]);
}
