import { describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type Block, readEvents } from '../../events.ts';
import { atOnce, tempDir } from '../../support.ts';
import { ADMIN, hutch, type RunningHutch, serve } from '../hutch.ts';

const PATH = '/api/v2/items/events';
const ENV = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };

async function served(dir = tempDir(), env: Record<string, string> = {}) {
  const server = await serve(dir, { env: { ...ENV, ...env } });
  const token = await server.signIn(ADMIN.username, ADMIN.password);
  const items = server.clientFor(token).api.v2.items;
  return { server, token, items, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

/** Opens an event stream and waits until it is established. */
async function listen({ url }: RunningHutch, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(url + PATH, { headers, signal: abort.signal });
  const events = readEvents(response);
  return { ...events, opening: await events.block(), abort: () => abort.abort() };
}

/** Requests events on its own connection, because fetch allows only 256 at once. */
async function requestEvents({ url }: RunningHutch): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

/** Reads until `text` arrives or the connection ends; returns the text up to there. */
async function readUntil(socket: Socket, text: string): Promise<string> {
  let all = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    all += String(chunk);
    const start = all.indexOf(text);
    if (start >= 0) return all.slice(0, start + text.length);
  }
  return all;
}

/** Returns the number of open connections of the server, as reported by the system. */
function connectionsOf({ pid }: RunningHutch): number {
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => {
    // A descriptor may be closed after it was listed.
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith('socket:')).length;
}

const ids = (received: Block[]) => received.map(({ id }) => Number(id));
const titles = (received: Block[]) =>
  received.map(({ data }) => (data?.['item'] as { title: string } | null)?.title);

describe('events of a real server', () => {
  test('reach 1,000 listeners at once', async () => {
    await using it = await served();
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => requestEvents(it.server)));
    await Promise.all(sockets.map((socket) => readUntil(socket, 'id: 0\n\n')));
    await it.items.post({ title: 'for all' });
    const received = await Promise.all(sockets.map((socket) => readUntil(socket, '}\n\n')));
    expect(new Set(received).size).toBe(1);
    expect(received[0]).toMatch(/id: 1\nevent: created\ndata: .*"title":"for all"/);
    for (const socket of sockets) socket.destroy();
  }, 60_000);

  test('arrive in the order of the commits, with 50 concurrent writers', async () => {
    await using it = await served();
    const listener = await listen(it.server);
    const reading = listener.take(500);
    const written = await atOnce(50, async (writer) => {
      const own: string[] = [];
      for (let n = 0; n < 10; n++) {
        const title = `${writer}.${n}`;
        await it.items.post({ title });
        own.push(title);
      }
      return own;
    });
    const received = await reading;
    expect(ids(received)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    // Items get their ids in the order of the commits, with one event each.
    expect(received.map(({ data }) => data?.['item_id'])).toEqual(ids(received));
    for (const own of written) {
      if (own.status !== 'fulfilled') throw own.reason;
      expect(titles(received).filter((title) => own.value.includes(title ?? ''))).toEqual(
        own.value,
      );
    }
  }, 60_000);

  // proves: costly-work.event-streams
  test('do not slow down writers if a client does not read: it is disconnected', async () => {
    await using it = await served();
    const healthy = await listen(it.server);
    await it.items.post({ title: 'first' });
    await healthy.next();
    const [memory, connections] = [await memoryOf(it), connectionsOf(it.server)];
    const stalled = await Promise.all(Array.from({ length: 20 }, () => requestEvents(it.server)));
    for (const socket of stalled) socket.pause();
    const data = { text: 'x'.repeat(60_000) };
    let last: Block | undefined;
    // Each client would be sent 24 MB; the system buffers some of it and the server little.
    for (let n = 0; n < 400; n++) {
      expect((await it.items.post({ title: `${n}`, data })).status).toBe(201);
      last = await healthy.next();
    }
    expect(titles([last as Block])).toEqual(['399']);
    expect((await memoryOf(it)) - memory).toBeLessThan(100_000_000);
    const isDrop = (line: Record<string, unknown>) =>
      String(line['message']).includes('slow listener');
    expect(it.server.lines.filter(isDrop)).toHaveLength(20);
    while (connectionsOf(it.server) > connections) await Bun.sleep(100);
    const read = await Promise.all(stalled.map((socket) => readUntil(socket, '"title":"399"')));
    expect(read.filter((text) => text.includes('"title":"399"'))).toEqual([]);
    healthy.abort();
  }, 60_000);

  test('resume after kill -9 with exactly the missed events', async () => {
    const dir = tempDir();
    let lastId: string | undefined;
    let acknowledged = 0;
    {
      await using it = await served(dir);
      const listener = await listen(it.server);
      for (let n = 1; n <= 5; n++) await it.items.post({ title: `${n}` });
      lastId = (await listener.take(5)).at(-1)?.id;
      listener.abort();
      const writing = atOnce(8, async () => {
        for (;;) {
          if ((await it.items.post({ title: 'missed' })).status !== 201) return;
          if (++acknowledged === 100) it.server.kill('SIGKILL');
        }
      });
      await Promise.all([writing, it.server.exited]);
    }
    await using it = await served(dir);
    const { data: after } = await it.items.post({ title: 'after' });
    const listener = await listen(it.server, { 'last-event-id': lastId ?? '' });
    const received = await listener.take((after?.id ?? 0) - 5);
    expect(ids(received)).toEqual(Array.from({ length: received.length }, (_, n) => n + 6));
    expect(received.length).toBeGreaterThanOrEqual(acknowledged + 1);
    expect(titles(received).at(-1)).toBe('after');
    await it.items.post({ title: 'live' });
    expect(titles([(await listener.next()) as Block])).toEqual(['live']);
    listener.abort();
  }, 60_000);

  test('include the imports of a command, alone and among changes of the server', async () => {
    const dir = tempDir();
    await using it = await served(dir);
    const listener = await listen(it.server);
    const imported = async (titles: string[]) => {
      const path = `${dir}/items.jsonl`;
      await Bun.write(path, titles.map((title) => JSON.stringify({ title })).join('\n'));
      const args = ['items', 'import', path, '--owner', ADMIN.username, '--data-dir', dir];
      expect((await hutch(args)).status).toBe(0);
    };
    const many = Array.from({ length: 500 }, (_, n) => `command ${n}`);
    await imported(['command']);
    expect(titles([(await listener.next()) as Block])).toEqual(['command']);
    const writing = (async () => {
      for (let n = 0; n < 100; n++) await it.items.post({ title: `server ${n}` });
    })();
    await Promise.all([imported(many), writing]);
    const received = await listener.take(600);
    expect(ids(received)).toEqual(Array.from({ length: 600 }, (_, n) => n + 2));
    expect(new Set(titles(received)).size).toBe(600);
    listener.abort();
  }, 60_000);

  test('of a restored database have their own ids, so that no loss goes unnoticed', async () => {
    const dir = tempDir();
    const path = `${dir}/hutch.db`;
    const lost: Block[] = [];
    {
      await using it = await served(dir);
      const listener = await listen(it.server);
      await it.items.post({ title: 'old' });
      await it.server.stop();
      listener.abort();
    }
    const backup = await Bun.file(path).bytes();
    {
      await using it = await served(dir);
      const listener = await listen(it.server);
      for (let n = 0; n < 3; n++) await it.items.post({ title: `lost ${n}` });
      lost.push(...(await listener.take(3)));
      await it.server.stop();
      listener.abort();
    }
    expect(ids(lost)).toEqual([2, 3, 4]);
    // Overwritten in place, like cp does: the file keeps its inode.
    await Bun.write(path, backup);
    await using it = await served(dir);
    for (let n = 0; n < 5; n++) await it.items.post({ title: `new ${n}` });
    for (const { id } of lost) {
      const listener = await listen(it.server, { 'last-event-id': id ?? '' });
      expect((await listener.next())?.event).toBe('reset');
      listener.abort();
    }
    const stream = await listen(it.server, { 'last-event-id': '1' });
    expect(titles(await stream.take(5))).toEqual(['new 0', 'new 1', 'new 2', 'new 3', 'new 4']);
    stream.abort();
  }, 60_000);

  test('of a copy of the database in another directory have their own ids', async () => {
    const [dir, copy] = [tempDir(), tempDir()];
    {
      await using it = await served(dir);
      await it.items.post({ title: 'old' });
      await it.server.stop();
    }
    await Bun.write(`${copy}/hutch.db`, Bun.file(`${dir}/hutch.db`));
    await using it = await served(copy);
    await it.items.post({ title: 'new' });
    const listener = await listen(it.server, { 'last-event-id': '2' });
    expect((await listener.next())?.event).toBe('reset');
    const stream = await listen(it.server, { 'last-event-id': '1' });
    expect(titles([(await stream.next()) as Block])).toEqual(['new']);
    listener.abort();
    stream.abort();
  }, 60_000);

  test('do not delay a stop, even if some clients listen and some do not read', async () => {
    await using it = await served(undefined, { HUTCH_SHUTDOWN_SECONDS: '300' });
    const listeners = await Promise.all(Array.from({ length: 20 }, () => listen(it.server)));
    const socket = await requestEvents(it.server);
    socket.pause();
    const received = Promise.all(listeners.map(({ take }) => take(1000)));
    for (let n = 0; n < 90; n++) {
      await it.items.post({ title: 'a', data: { text: 'x'.repeat(60_000) } });
    }
    expect(await it.server.stop()).toBe(0);
    for (const each of await received) {
      expect(ids(each)).toEqual(Array.from({ length: each.length }, (_, n) => n + 1));
    }
    socket.destroy();
  }, 60_000);

  // proves: limits.event-streams
  test('are limited per address, not counting closed connections', async () => {
    const env = { HUTCH_RATE_LIMIT: 'on', HUTCH_LIMIT_LISTENERS: '2' };
    await using it = await served(undefined, env);
    const [first] = await Promise.all([listen(it.server), listen(it.server)]);
    expect((await fetch(it.server.url + PATH)).status).toBe(429);
    first?.abort();
    let response = await fetch(it.server.url + PATH);
    while (response.status === 429) response = await fetch(it.server.url + PATH);
    expect(response.status).toBe(200);
  });
});

async function memoryOf({ server, token }: Awaited<ReturnType<typeof served>>): Promise<number> {
  const { data } = await server.clientFor(token).api.v2.system.stats.get();
  return data?.memory_bytes ?? 0;
}
