import { connect } from 'node:net';
import { ADMIN } from '../../process/hutch.ts';

/** The context of the clients. */
export interface World {
  url: string;
  /** An admin's. */
  token: string;
  /** A server for outside calls. */
  upstream: string;
  signal: AbortSignal;
}

/** Does one thing and returns `ok`, or what was answered otherwise. */
export type Client = (world: World) => Promise<string>;

export type Counts = Record<string, { done: number; errors: Record<string, number> }>;

const LINES = 500;
const STREAM_MS = 3_000;
const IDLE_MS = 5_000;
const SLOW_CHUNK_MS = 20;

export const CLIENTS: Record<string, Client> = {
  readers: (world) => send(world, 'GET', `/api/v2/items/${1 + random(2_000)}`),
  listers: (world) =>
    send(world, 'GET', `/api/v2/items?limit=100&sort=-${pick(['id', 'title', 'updated_at'])}`),
  writers: (world) => send(world, 'POST', '/api/v2/items', { title: text(), data: { a: text() } }),
  searchers: (world) =>
    send(world, 'GET', `/api/v2/items?q=${pick(['straw', 'carr', 'seed', 'wood+straw'])}`),
  listeners: (world) => listen(world),
  importers: (world) => importLines(world),
  exporters: (world) => send(world, 'GET', '/api/v2/items/export?format=jsonl'),
  'sign-ins': (world) => signIn(world),
  'outside calls': (world) =>
    send(world, 'GET', `/api/v1/external/?url=${encodeURIComponent(world.upstream)}`),
  'idle connections': (world) => idle(world),
  'slow readers': (world) => slowRead(world),
  'aborting clients': (world) => abortEarly(world),
  batchers: (world) => batch(world),
  'v1 clients': (world) => send(world, 'GET', `/api/v1/items/?skip=${random(1_000)}&limit=100`),
  'popular pollers': (world) => send(world, 'GET', '/api/v2/items/popular?window=week'),
};

async function send(
  { url, token, signal }: World,
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(url + path, { method, headers, signal, ...(sent && { body: sent }) });
  await answer.arrayBuffer();
  return answer.ok ? 'ok' : String(answer.status);
}

async function listen({ url, token, signal }: World): Promise<string> {
  const ending = AbortSignal.any([signal, AbortSignal.timeout(STREAM_MS)]);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/v2/items/events`, { headers, signal: ending });
  if (!answer.ok) return String(answer.status);
  try {
    for await (const _ of answer.body ?? []) if (ending.aborted) break;
  } catch {
    // It is ended by us.
  }
  return 'ok';
}

async function importLines({ url, token, signal }: World): Promise<string> {
  const lines = Array.from({ length: LINES }, () => JSON.stringify({ title: text() }));
  const answer = await fetch(`${url}/api/v2/items/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
    signal,
  });
  await answer.arrayBuffer();
  await Bun.sleep(1_000);
  return answer.ok ? 'ok' : String(answer.status);
}

async function signIn({ url, signal }: World): Promise<string> {
  const { username, password } = ADMIN;
  const body = new URLSearchParams({ username, password });
  const answer = await fetch(`${url}/api/v1/login/access-token`, { method: 'POST', body, signal });
  await answer.arrayBuffer();
  await Bun.sleep(200);
  return answer.ok ? 'ok' : String(answer.status);
}

/** A connection that sends one request and then idles. */
async function idle({ url }: World): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(`GET /health/live HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  await Bun.sleep(IDLE_MS);
  socket.destroy();
  return 'ok';
}

/** Takes a long answer a little at a time. */
async function slowRead({ url, token, signal }: World): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/v2/items/export?format=csv`, { headers, signal });
  if (!answer.ok) return String(answer.status);
  for await (const _ of answer.body ?? []) {
    await Bun.sleep(SLOW_CHUNK_MS);
    if (signal.aborted) break;
  }
  return 'ok';
}

/** Hangs up before the answer. */
async function abortEarly(world: World): Promise<string> {
  const signal = AbortSignal.timeout(1 + random(20));
  const path = pick(['/api/v2/items?limit=100', '/api/v2/items/export?format=jsonl']);
  await send({ ...world, signal }, 'GET', path).catch(() => {});
  return 'ok';
}

function batch(world: World): Promise<string> {
  const operations = Array.from({ length: 50 }, () => ({ op: 'create', item: { title: text() } }));
  return send(world, 'POST', '/api/v2/items/batch', { operations });
}

function text(): string {
  return `straw ${Math.random().toString(36)} ${'carrots '.repeat(random(10))}`;
}

function random(below: number): number {
  return Math.floor(Math.random() * below);
}

function pick<T>(from: T[]): T {
  return from[random(from.length)] as T;
}
