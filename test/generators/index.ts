/**
 * `bun run test:clients [name…]`: generates, compiles and runs a client of each generator against
 * the compiled binary. Exits with 1 if one of them fails.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { CLIENTS, type GeneratedClient } from './clients.ts';

const GENERATOR = 'org.openapitools:openapi-generator-cli:7.23.0';
const DIRECTORY = resolve('node_modules/.cache/clients');
const JAR = join(DIRECTORY, 'openapi-generator-cli-7.23.0.jar');
const DOCUMENT = join(DIRECTORY, 'openapi.json');
/** Most compilers use one core. */
const AT_ONCE = 2;
/** The time limit of a client; on a busy machine a compiler may take minutes. */
const SECONDS = 900;
/** A JSON line, for the languages that import a file. */
const LINES = '{"title":"imported"}\n';
/** The oldest versions that can build a client. Go 1.21 and later download newer toolchains. */
const OLDEST: Record<string, [command: string, version: string]> = {
  cargo: ['cargo --version', '1.85'],
  go: ['go version', '1.21'],
  javac: ['javac -version', '11'],
  python3: ['python3 --version', '3.10'],
};

const names = Bun.argv.length > 2 ? Bun.argv.slice(2) : Object.keys(CLIENTS);
const unknown = names.filter((name) => !(name in CLIENTS));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(', ')}. Known: ${Object.keys(CLIENTS).join(', ')}.`);
  process.exit(2);
}

mkdirSync(DIRECTORY, { recursive: true });
await Bun.write(DOCUMENT, (await hutch(['openapi'])).stdout);
await using server = await serve(tempDir(), { env: { HUTCH_RATE_LIMIT: 'off' } });
const chosen = names.filter((name) => isAvailable(name));
const generator = chosen.some((name) => CLIENTS[name]?.needsJar) ? fetchGenerator() : undefined;
const outcomes = await inTurns(chosen);
const failed = outcomes.filter((isOk) => !isOk).length;
// In the format of bun test, which .ci/run adds up.
console.log(` ${outcomes.length - failed} pass\n ${failed} fail`);
process.exitCode = failed > 0 || outcomes.length === 0 ? 1 : 0;

function isAvailable(name: string): boolean {
  const missing = CLIENTS[name]?.tools.filter((tool) => !isThere(tool)) ?? [];
  const needed = missing.map((tool) => `${tool} ${OLDEST[tool]?.[1] ?? ''}`.trim());
  if (missing.length > 0) console.log(`skip ${name}: this machine has no ${needed.join(', ')}`);
  return missing.length === 0;
}

/** True if a command is installed in a sufficient version. */
function isThere(tool: string): boolean {
  if (Bun.which(tool) === null) return false;
  const [command, oldest] = OLDEST[tool] ?? [];
  if (!command || !oldest) return true;
  const { stdout } = Bun.spawnSync(command.split(' '));
  const version = /\d+(?:\.\d+)*/.exec(stdout.toString())?.[0] ?? '';
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0;
}

/** Downloads openapi-generator unless it is cached. */
async function fetchGenerator() {
  if (await Bun.file(JAR).exists()) return { status: 0, output: '', cpu: 0 };
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
  const script = `mvn -q -B ${copy} -Dartifact=${GENERATOR} -DoutputDirectory=${DIRECTORY}`;
  return shell(script, DIRECTORY);
}

/** Runs all clients, a few at a time; returns whether each passed. */
async function inTurns(all: string[]): Promise<boolean[]> {
  const waiting = [...all];
  const outcomes: boolean[] = [];
  const work = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift())
      outcomes.push(await tryOut(name));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

async function tryOut(name: string): Promise<boolean> {
  const client = CLIENTS[name] as GeneratedClient;
  const dir = join(DIRECTORY, name);
  const start = performance.now();
  const { status, output, cpu } = await makeAndRun(client, dir);
  const seconds = Math.round((performance.now() - start) / 1000);
  const times = `${seconds} s, ${Math.round(cpu)} s of CPU`;
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}, ${times}`);
  if (status !== 0) console.log(output.slice(-4000));
  return status === 0;
}

async function makeAndRun(client: GeneratedClient, dir: string) {
  const fetched = client.needsJar && (await generator);
  if (fetched && fetched.status !== 0) return fetched;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const made = await shell(client.make, dir);
  if (made.status !== 0) return made;
  const [from, to] = client.program;
  await Bun.write(join(dir, to), Bun.file(join(import.meta.dir, 'programs', from)));
  await Bun.write(join(dir, 'lines.jsonl'), LINES);
  const ran = await shell(client.run, dir);
  return { ...ran, cpu: made.cpu + ran.cpu };
}

/** Runs a script for at most `SECONDS`; `cpu` is the CPU time of all its processes in seconds. */
async function shell(script: string, cwd: string) {
  const child = Bun.spawn(['timeout', String(SECONDS), 'sh', '-ec', `exec 2>&1\n${script}`], {
    cwd,
    env: {
      ...process.env,
      DOC: DOCUMENT,
      JAR,
      // Otherwise each Go program first compiles its C bindings.
      CGO_ENABLED: '0',
      URL: server.url,
      BUN: process.execPath,
      TSC: resolve('node_modules/.bin/tsc'),
      TYPES: resolve('node_modules/@types'),
    },
    stdin: 'ignore',
    stdout: 'pipe',
  });
  const output = await child.stdout.text();
  const status = await child.exited;
  return { status, output, cpu: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6 };
}
