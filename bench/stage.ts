import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_CORE, plainEnv, type ServerCommand } from './load/process.ts';
import { seed } from './seed.ts';

const ROOT = join(import.meta.dir, '..');
export const HUTCH = join(ROOT, 'dist', 'hutch');
/** The programs that a run starts beside Hutch. */
export const PROGRAMS = ['bare', 'constant', 'outside', 'upstream'] as const;
export const programPath = (name: (typeof PROGRAMS)[number]) =>
  join(import.meta.dir, 'servers', `${name}.ts`);
const UPSTREAM_MS = 20;
/** All of them are loopback on Linux: as many hosts, each with its own limit. */
export const UPSTREAM_HOSTS = Array.from({ length: 64 }, (_, index) => `127.0.0.${index + 1}`);

/** Starts the servers of a run. */
export interface Stage {
  hutch: ServerCommand;
  bare: ServerCommand;
  constant: ServerCommand;
}

/** Builds what is not built, and fills two databases with the same rows. */
export async function setStage(dir: string): Promise<Stage> {
  await prepareHutch();
  const bare = await compile(dir, 'bare');
  const constant = await compile(dir, 'constant');
  const dataDir = join(dir, 'data');
  await run([HUTCH, 'migrate', '--data-dir', dataDir]);
  await seed(join(dataDir, 'hutch.db'), join(dir, 'bare.db'));
  return {
    hutch: hutchCommand(dataDir),
    bare: { name: 'bare', args: [bare, join(dir, 'bare.db')] },
    constant: { name: 'constant', args: [constant] },
  };
}

/** Returns the command of a server with all upstream hosts, which answers after 20 ms. */
export function upstreamCommand(): ServerCommand {
  const args = [programPath('upstream'), String(UPSTREAM_HOSTS.length), String(UPSTREAM_MS)];
  return { name: 'upstream', args: [process.execPath, ...args], core: LOAD_CORE };
}

/** Builds the binary if it is older than its sources. */
export async function prepareHutch(): Promise<void> {
  if (isStale()) await build();
}

/** The command that starts Hutch over `dataDir`. */
export function hutchCommand(dataDir: string, binary = HUTCH): ServerCommand {
  return {
    name: 'hutch',
    args: [binary, 'serve', '--port', '0', '--data-dir', dataDir],
    env: {
      HUTCH_EXTERNAL_ALLOW_HOSTS: UPSTREAM_HOSTS.join(),
      HUTCH_EXTERNAL_MAX_URLS: String(UPSTREAM_HOSTS.length),
      HUTCH_LOG_FORMAT: 'json',
      HUTCH_RATE_LIMIT: 'off',
      HUTCH_QUOTA_ITEMS: '1000000000',
      HUTCH_QUOTA_BYTES: '1000000000000',
    },
  };
}

/** True if the binary is older than one of its sources. */
function isStale(): boolean {
  if (!existsSync(HUTCH)) return true;
  const builtAtMs = statSync(HUTCH).mtimeMs;
  const sources = [...new Bun.Glob('{src,drizzle}/**/*.{ts,sql}').scanSync(ROOT)];
  return [...sources, 'build.ts', 'bun.lock', 'package.json'].some(
    (file) => statSync(join(ROOT, file)).mtimeMs > builtAtMs,
  );
}

async function build(): Promise<void> {
  await run([process.execPath, 'build.ts']);
}

/** Runs a command to its end. Throws when it fails. */
export async function run(args: string[], cwd = ROOT): Promise<void> {
  const child = Bun.spawn(args, { cwd, env: plainEnv(), stdout: 'ignore' });
  if ((await child.exited) !== 0) throw new Error(`${args.join(' ')} failed.`);
}

/** Compiles a server of this directory as Hutch itself is compiled. */
async function compile(dir: string, name: (typeof PROGRAMS)[number]): Promise<string> {
  const outfile = join(dir, name);
  await Bun.build({
    entrypoints: [programPath(name)],
    target: 'bun',
    format: 'esm',
    bytecode: true,
    minify: true,
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
  });
  return outfile;
}
