import { resolve } from 'node:path';
import type { Subprocess } from 'bun';
import { createClient } from '../../src/client.ts';
import { type LeaksOf, leaks, watched } from '../leaks.ts';

/** BINARY=dist/hutch runs these tests on the compiled binary, else they run on the source. */
const binary = process.env['BINARY'];
export const isBinary = binary !== undefined;

export const COMMAND = binary ? [resolve(binary)] : [process.execPath, resolve('src/index.ts')];

export interface SpawnOptions {
  cwd?: string;
  env?: Record<string, string>;
}

function spawn(args: string[], { cwd, env }: SpawnOptions) {
  const PATH = process.env['PATH'] ?? '';
  if (env?.['HUTCH_ADMIN_PASSWORD']) leaks.learn(env['HUTCH_ADMIN_PASSWORD']);
  return Bun.spawn([...COMMAND, ...args], {
    ...(cwd && { cwd }),
    env: { PATH, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** Runs a command to its end. Throws if its output contains a secret. */
export async function hutch(args: string[], options: SpawnOptions = {}) {
  const child = spawn(args, options);
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  leaks.log(stdout + stderr, `what hutch ${args.join(' ')} says`);
  return { stdout, stderr, status };
}

/** Runs a command on a terminal and types `answer` at a prompt that ends in [y/N]. */
export async function hutchOnTerminal(args: string[], answer: string) {
  let screen = '';
  const child = Bun.spawn([...COMMAND, ...args], {
    env: { PATH: process.env['PATH'] ?? '' },
    terminal: {
      cols: 200,
      data: (terminal, data) => {
        const wasAsked = screen.includes('[y/N]');
        screen += new TextDecoder().decode(data);
        if (!wasAsked && screen.includes('[y/N]')) terminal.write(`${answer}\r`);
      },
    },
  });
  const status = await child.exited;
  child.terminal?.close();
  leaks.log(screen, `what hutch ${args.join(' ')} shows`);
  return { screen, status };
}

export type RunningHutch = Awaited<ReturnType<typeof serve>>;

export interface ServeOptions extends SpawnOptions {
  /** Default: serve. */
  command?: 'serve' | 'dev';
  args?: string[];
  /** Runs before the server listens; `errors` returns its standard error so far. */
  onStart?(errors: () => string): Promise<void>;
  /** Default: the secrets of the whole suite. */
  leaksOf?: LeaksOf;
}

/** Serves `dataDir` on a free port: `await using server = await serve(dataDir)`. */
export async function serve(dataDir: string, options: ServeOptions = {}) {
  const { command = 'serve', args: more = [] } = options;
  const args = [command, '--port', '0', '--data-dir', dataDir, ...more];
  const child = spawn(args, options);
  const lines: Record<string, unknown>[] = [];
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>();
  const stdout = readLines(child, (line) => {
    lines.push(line);
    if (line['message'] === 'Listening.') resolve(String(line['url']));
  });
  let errors = '';
  const stderr = readText(child.stderr, (text) => {
    errors += text;
  });
  const checked = Promise.all([stdout, stderr]).then((output) =>
    leaks.log(output.join('\n'), 'the output of a server'),
  );
  // A test that stops its server need not wait for this check, which records its findings.
  checked.catch(() => {});
  child.exited.then(
    async (status) => reject(new Error(`ended with ${status}: ${await stderr}`)),
    reject,
  );
  const started = options.onStart?.(() => errors);
  const [url] = await Promise.all([listening, started]);
  watched.set(url, options.leaksOf ?? (() => leaks));
  void child.exited.then(() => watched.delete(url));
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return child.exited;
  };
  return {
    url,
    lines,
    /** Returns what the server has written to standard error. */
    errors: () => errors,
    pid: child.pid,
    exited: child.exited,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    clientFor: (token?: string) => createClient(url, { retries: 0, ...(token && { token }) }),
    signIn: (username: string, password: string) => signIn(url, username, password),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL');
      await checked;
    },
  };
}

async function readText(
  stream: Subprocess<'ignore', 'pipe', 'pipe'>['stdout'],
  each: (text: string) => void,
): Promise<string> {
  let all = '';
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    all += chunk;
    each(chunk);
  }
  return all;
}

function readLines(
  child: Subprocess<'ignore', 'pipe', 'pipe'>,
  each: (line: Record<string, unknown>) => void,
): Promise<string> {
  let rest = '';
  return readText(child.stdout, (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) each(JSON.parse(part));
  });
}

async function signIn(url: string, username: string, password: string): Promise<string> {
  const body = new URLSearchParams({ username, password });
  const response = await fetch(`${url}/api/v1/login/access-token`, { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Returns a free port, for tests that need it before the server starts. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** The settings of a first admin, and their credentials. */
export const ADMIN = {
  username: 'root',
  password: 'straw-bed-root',
  env: {
    HUTCH_ADMIN_EMAIL: 'root@example.com',
    HUTCH_ADMIN_USERNAME: 'root',
    HUTCH_ADMIN_PASSWORD: 'straw-bed-root',
  },
};
