import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Core of the server under test, and of everything else. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
/** USER_HZ of every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;
const STOP_MS = 8_000;

export const canPin = availableParallelism() > 1 && Bun.which('taskset') !== null;

/** A server of this run. Its URL comes from its output. */
export interface Server {
  name: string;
  url: string;
  pid: number;
  stop(): Promise<void>;
}

export interface ServerCommand {
  name: string;
  args: string[];
  env?: Record<string, string>;
  core?: number;
}

/** Runs `args` on one core, where the machine lets us. */
export function pinned(args: string[], core: number): string[] {
  return canPin ? ['taskset', '-c', String(core), ...args] : args;
}

/** Moves this process to the core of the load, so that it never takes time from a server. */
export function pinSelf(): void {
  if (canPin) Bun.spawnSync(['taskset', '-acp', String(LOAD_CORE), String(process.pid)]);
}

/** Starts a server and waits for its line with a url. */
export async function startServer(command: ServerCommand, signal: AbortSignal): Promise<Server> {
  const { name, args, env = {}, core = SERVER_CORE } = command;
  const child = Bun.spawn(pinned(args, core), {
    env: { ...plainEnv(), ...env },
    stdout: 'pipe',
    stderr: 'inherit',
    signal,
  });
  const url = await readUrl(child.stdout);
  if (!url) throw new Error(`${name} ended before it listened.`);
  const stop = async () => {
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await child.exited;
    clearTimeout(patience);
  };
  return { name, url, pid: child.pid, stop };
}

/** Resolves to the first url that is printed; reads what follows to its end, unseen. */
function readUrl(output: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text: string | undefined = '';
    for await (const chunk of output) {
      if (text === undefined) continue;
      text += decoder.decode(chunk, { stream: true });
      const url = text.match(/"url":"([^"]+)"/)?.[1];
      if (!url) continue;
      text = undefined;
      resolve(url);
    }
    resolve(undefined);
  };
  read().catch(() => resolve(undefined));
  return promise;
}

/** The environment without settings of Hutch and options of Bun. */
export function plainEnv(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(HUTCH|BUN)_/.test(name)),
  );
}

/** CPU seconds that a process has used, in all its threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1]) * 1024) / 1e6;
}
