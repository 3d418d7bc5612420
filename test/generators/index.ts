/**
 * `bun run test:clients [name…]`: generates, compiles and runs a client of each generator against
 * the compiled binary. Ends with 1 when one of them fails.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { hutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';
import { CLIENTS, type GeneratedClient } from './clients.ts';

const GENERATOR = 'org.openapitools:openapi-generator-cli:7.23.0';
const DIRECTORY = resolve('node_modules/.cache/clients');
const JAR = join(DIRECTORY, 'openapi-generator-cli-7.23.0.jar');
const DOCUMENT = join(DIRECTORY, 'openapi.json');
/** Compilers use one core each. */
const AT_ONCE = 2;
const SECONDS = 280;

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
if (chosen.some((name) => CLIENTS[name]?.needsJar)) await fetchGenerator();
const outcomes = await inTurns(chosen);
const failed = outcomes.filter((isOk) => !isOk).length;
console.log(
  `${outcomes.length - failed} passed, ${failed} failed, ${names.length - chosen.length} skipped`,
);
process.exitCode = failed > 0 || outcomes.length === 0 ? 1 : 0;

function isAvailable(name: string): boolean {
  const missing = CLIENTS[name]?.tools.filter((tool) => Bun.which(tool) === null) ?? [];
  if (missing.length > 0) console.log(`skip ${name}: this machine has no ${missing.join(', ')}`);
  return missing.length === 0;
}

async function fetchGenerator(): Promise<void> {
  if (await Bun.file(JAR).exists()) return;
  const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
  const script = `mvn -q -B ${copy} -Dartifact=${GENERATOR} -DoutputDirectory=${DIRECTORY}`;
  const { status, output } = await shell(script, DIRECTORY);
  if (status !== 0) throw new Error(`The generator cannot be downloaded.\n${output}`);
}

/** Runs all of them, a few at a time; whether each passed. */
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
  clear(dir);
  const made = await shell(client.make, dir);
  if (made.status === 0) await writeProgram(client, dir);
  const { status, output } = made.status === 0 ? await shell(client.run, dir) : made;
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}, ${seconds} s`);
  if (status !== 0) console.log(output.slice(-4000));
  return status === 0;
}

function clear(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
}

async function writeProgram(client: GeneratedClient, dir: string): Promise<void> {
  const [from, to] = client.program;
  const text = await Bun.file(join(import.meta.dir, 'programs', from)).text();
  const place = join(dir, to);
  mkdirSync(dirname(place), { recursive: true });
  const { fill, signatures } = client;
  if (!fill || !signatures) return void (await Bun.write(place, text));
  const source = await Bun.file(join(dir, signatures.file)).text();
  const count = (name: string) =>
    source.match(signatures.pattern(name))?.[1]?.split(', ').length ?? 0;
  await Bun.write(place, fill(count, text));
}

/** Runs a script to its end, which comes after `SECONDS` at the latest. */
async function shell(script: string, cwd: string) {
  const child = Bun.spawn(['timeout', String(SECONDS), 'sh', '-ec', `exec 2>&1\n${script}`], {
    cwd,
    env: {
      ...process.env,
      DOC: DOCUMENT,
      JAR,
      URL: server.url,
      BUN: process.execPath,
      TSC: resolve('node_modules/.bin/tsc'),
      TYPES: resolve('node_modules/@types'),
    },
    stdin: 'ignore',
    stdout: 'pipe',
  });
  const output = await child.stdout.text();
  return { status: await child.exited, output };
}
