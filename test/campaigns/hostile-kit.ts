import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type RunningHutch, type ServeOptions, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

/** One attack or mishap, by the sentence that says what must hold. */
export interface Check {
  sentence: string;
  expected: string;
  /** Judged by time, which a busy machine may spoil. */
  isTimed?: true;
  run(kit: Kit): Promise<Seen>;
}

export interface Seen {
  got: string;
  isOk: boolean;
}

export type Kit = ReturnType<typeof createKit>;

const PASSWORD = 'straw-and-carrots-1';
const PATIENCE_MS = 5_000;

/** Compares what was seen as JSON. */
export function same(got: unknown, expected: unknown): Seen {
  return { got: JSON.stringify(got), isOk: Bun.deepEquals(got, expected) };
}

/** Starts servers and calls them; what it started ends with it. */
export function createKit() {
  const servers: RunningHutch[] = [];
  return {
    up: async (env: Record<string, string> = {}, options: ServeOptions & { dir?: string } = {}) => {
      const dir = options.dir ?? tempDir();
      const server = await serve(dir, { ...options, env });
      servers.push(server);
      return { server, dir, ...callsOf(server, dir) };
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await server[Symbol.asyncDispose]().catch(() => {});
    },
  };
}

function callsOf(server: RunningHutch, dir: string) {
  const call = async (
    method: string,
    path: string,
    init: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const { token, body, headers } = init;
    return fetch(server.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  };
  return {
    call,
    statusOf: async (...args: Parameters<typeof call>) => (await call(...args)).status,
    /** Makes an account and returns its token. */
    register: async (username: string, headers?: Record<string, string>): Promise<string> => {
      const body = { email: `${username}@example.com`, username, password: PASSWORD };
      const answer = await call('POST', '/api/v2/auth/register', {
        body,
        ...(headers && { headers }),
      });
      return ((await answer.json()) as { token: string }).token;
    },
    login: (login: string, password = PASSWORD, headers?: Record<string, string>) =>
      call('POST', '/api/v2/auth/login', {
        body: { login, password },
        ...(headers && { headers }),
      }),
    /** Sends bytes as they are; what comes back until the server closes or is silent for a while. */
    raw: (text: string): Promise<string> => raw(server.url, text),
    /** The largest resident size so far, in MB. */
    peakMb: () => {
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024);
    },
    /** The longest that a health check waits while `work` is under way, in ms. */
    slowestHealth: async (work: Promise<unknown>) => {
      let isOver = false;
      const ended = work.finally(() => {
        isOver = true;
      });
      let slowest = 0;
      while (!isOver) {
        const asked = performance.now();
        await (await fetch(`${server.url}/health/live`)).arrayBuffer();
        slowest = Math.max(slowest, performance.now() - asked);
        await Bun.sleep(5);
      }
      await ended;
      return Math.round(slowest);
    },
    file: (name: string) => join(dir, name),
  };
}

async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<void>();
  let said = '';
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  socket.setTimeout(500, () => resolve());
  await Promise.race([promise, Bun.sleep(PATIENCE_MS)]);
  socket.destroy();
  return said;
}
