import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { mailsIn } from '../../outbox.ts';
import { type RunningHutch, type ServeOptions, serve } from '../../process/hutch.ts';
import { tempDir } from '../../support.ts';

/** Tries one finding again, or a part of it. */
export interface Check {
  /** Its number in the list, as H1. */
  finding: string;
  /** Says what must hold. */
  sentence: string;
  expected: string;
  /** A test file that tries the same on the binary; a short run leaves the check to it. */
  triedBy?: string;
  run(kit: Kit): Promise<Seen>;
}

export interface Seen {
  got: string;
  isOk: boolean;
  /** This machine lacks what the check needs. */
  isSkipped?: true;
}

export type Kit = ReturnType<typeof createKit>;

export const PASSWORD = 'straw-and-carrots-1';
const LINES = { 'content-type': 'application/x-ndjson' };
const PATIENCE_MS = 15_000;
/** The connection is silent after this time without data. */
const SILENCE_MS = 500;
/** The longest that one request may delay another, with room for a busy machine. */
const MOST_MS = 250;

/** Compares what was seen as JSON. */
export function same(got: unknown, expected: unknown): Seen {
  return { got: JSON.stringify(got), isOk: Bun.deepEquals(got, expected) };
}

/** The outcome of a check that this machine cannot run. */
export function skipped(reason: string): Seen {
  return { got: `not tried: ${reason}`, isOk: true, isSkipped: true };
}

/** The results of health checks during other work. */
export interface HealthWatch {
  answers: number;
  failures: number;
  slowestMs: number;
}

/** Starts servers and calls them; what it started ends with it. `isTimed`: judges times as well. */
export function createKit({ isTimed = true } = {}) {
  const servers: RunningHutch[] = [];
  return {
    /** A number of rows: a tenth of them in a short run, which judges no times. */
    rows: (full: number) => (isTimed ? full : full / 10),
    /** True if all health checks succeeded, `atLeast` in number, and promptly if times count. */
    isPrompt: ({ answers, failures, slowestMs }: HealthWatch, atLeast: number) =>
      failures === 0 && answers >= atLeast && (!isTimed || slowestMs < MOST_MS),
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
    /** The body of a response, as the caller knows it to be. */
    jsonOf: async <T>(...args: Parameters<typeof call>) =>
      (await (await call(...args)).json()) as T,
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
    /**
     * Sends bytes as they are; returns what comes back until the server closes, is silent after an
     * answer, or has not answered for `patienceMs`.
     */
    raw: (text: string, patienceMs = PATIENCE_MS) => raw(server.url, text, patienceMs),
    /** The largest resident size so far, in MB. */
    peakMb: () => {
      const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
      return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024);
    },
    /** Asks for the health of the server until `work` is done. */
    healthDuring: (work: Promise<unknown>) => healthDuring(server.url, work),
    /** Imports items, one a line. Throws an error unless all are created. */
    importItems: async (token: string, lines: string[]) => {
      const init = { token, headers: LINES, body: lines.join('\n') };
      const report = await (await call('POST', '/api/v2/items/import', init)).text();
      if (!report.includes(`"created":${lines.length}`)) throw new Error(report);
    },
    /** True if a mail matches within some seconds. */
    hasMail: async (pattern: RegExp) => {
      for (let look = 0; look < 100; look++) {
        if (mailsIn(dir).some((mail) => pattern.test(mail))) return true;
        await Bun.sleep(50);
      }
      return false;
    },
    file: (name: string) => join(dir, name),
  };
}

async function healthDuring(url: string, work: Promise<unknown>): Promise<HealthWatch> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  const watch = { answers: 0, failures: 0, slowestMs: 0 };
  while (!isOver) {
    const asked = performance.now();
    const { ok } = await fetch(`${url}/health/live`);
    if (!ok) watch.failures++;
    else if (!isOver) watch.answers++;
    watch.slowestMs = Math.max(watch.slowestMs, Math.round(performance.now() - asked));
    await Bun.sleep(5);
  }
  await ended;
  return watch;
}

async function raw(url: string, text: string, patienceMs: number): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<void>();
  let said = '';
  const socket = connect(Number(port), hostname, () => socket.write(text));
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
    socket.setTimeout(SILENCE_MS, resolve);
  });
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  await Promise.race([promise, Bun.sleep(patienceMs)]);
  socket.destroy();
  return said;
}

/** Expects that a server does not start with these settings, and ends with 2. */
export async function refusedStart(kit: Kit, env: Record<string, string>): Promise<Seen> {
  const got = await kit.up(env).then(
    () => 'it serves',
    (error: unknown) => String(error),
  );
  return { got, isOk: got.includes('ended with 2') };
}
