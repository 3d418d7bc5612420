import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** Commands that take longer are terminated. */
const COMMAND_TIMEOUT_MS = 50_000;

/** A network namespace in which every address is local and the name server is 127.0.0.1. */
export interface Namespace {
  /** Runs a command inside and returns its output. Throws if it fails. */
  run(args: string[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Returns true if namespaces can be created, which needs root. Installs `ip` if possible. */
export async function hasNamespaces(): Promise<boolean> {
  if (process.getuid?.() !== 0 || !(await hasIp())) return false;
  try {
    await using namespace = await openNamespace('probe');
    await namespace.run(['true']);
    return true;
  } catch {
    return false;
  }
}

/** Creates a namespace, which `await using` removes. */
export async function openNamespace(purpose: string): Promise<Namespace> {
  const name = `hutch-${purpose}-${process.pid}`;
  const settings = `/etc/netns/${name}`;
  await using undo = new AsyncDisposableStack();
  await command(['ip', 'netns', 'add', name]);
  undo.defer(() => remove(name));
  mkdirSync(settings, { recursive: true });
  undo.defer(() => rmSync(settings, { recursive: true }));
  writeFileSync(`${settings}/resolv.conf`, 'nameserver 127.0.0.1\n');
  await command(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  // All addresses are local, so a listener on 0.0.0.0 receives every connection.
  await command(['ip', '-n', name, 'route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo']);
  await command(['ip', '-n', name, '-6', 'route', 'add', 'local', '::/0', 'dev', 'lo']);
  const owned = undo.move();
  return {
    run: (args) => command(['ip', 'netns', 'exec', name, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Removes a namespace and kills its processes, because it exists until the last one ends. */
async function remove(name: string): Promise<void> {
  const pids = (await command(['ip', 'netns', 'pids', name])).split('\n').filter(Boolean);
  for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
  await command(['ip', 'netns', 'del', name]);
}

async function hasIp(): Promise<boolean> {
  if (Bun.which('ip')) return true;
  if (!Bun.which('apt-get')) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await command(['apt-get', 'update'], env);
    await command(['apt-get', 'install', '-y', 'iproute2'], env);
  } catch {
    return false;
  }
  return Bun.which('ip') !== null;
}

async function command(args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = Bun.spawn(args, {
    env: { ...process.env, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: COMMAND_TIMEOUT_MS,
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}
