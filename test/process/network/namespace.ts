import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** How long a command may take before it is ended. */
const PATIENCE_MS = 50_000;

/** A network of its own, in which every address is this machine and 127.0.0.1 the name server. */
export interface Namespace {
  /** Runs a command inside and gives what it printed; throws when it fails. */
  run(args: string[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Whether there can be one: as root, where the kernel lets us. Installs `ip` where it can. */
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

/** Opens one; `await using` removes it, whatever happens in it. */
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
  // A route that makes all addresses local: a listener on 0.0.0.0 sees whatever is dialled.
  await command(['ip', '-n', name, 'route', 'add', 'local', '0.0.0.0/0', 'dev', 'lo']);
  await command(['ip', '-n', name, '-6', 'route', 'add', 'local', '::/0', 'dev', 'lo']);
  const owned = undo.move();
  return {
    run: (args) => command(['ip', 'netns', 'exec', name, ...args]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Ends what still runs inside, too: a namespace lives as long as its last process. */
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
    timeout: PATIENCE_MS,
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
  return stdout;
}
