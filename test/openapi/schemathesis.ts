/**
 * `bun run fuzz:schemathesis [seconds] [check…]`: sends what Schemathesis derives from the document
 * to the compiled binary, as an admin, as a user and without an account, `seconds` each.
 */
import { join, resolve } from 'node:path';
import { ADMIN, hutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

const VERSION = '4.32.5';
const PYTHON = resolve('node_modules/.cache/schemathesis');
const COMMAND = join(PYTHON, 'bin/schemathesis');
const DEFAULT_SECONDS = 600;
/** What the document promises of each response, whoever asks and for what. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];
/** A stream has no end, and what calls other hosts fails as they do. */
const EXCLUDED = ['/api/v2/items/events', '/api/v1/external/'];

const [seconds = String(DEFAULT_SECONDS), ...checks] = Bun.argv.slice(2);
if (!(await Bun.file(COMMAND).exists())) await install();
let failed = 0;
for (const role of ['anonymous', 'user', 'admin'] as const) {
  const isOk = await runAs(role);
  console.log(`${isOk ? 'ok  ' : 'FAIL'} as ${role}`);
  if (!isOk) failed++;
}
console.log(`${3 - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function runAs(role: 'anonymous' | 'user' | 'admin'): Promise<boolean> {
  const dir = tempDir();
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  await using server = await serve(dir, { env });
  const document = join(dir, 'openapi.json');
  await Bun.write(document, (await hutch(['openapi'])).stdout);
  const token = await tokenOf(role, server);
  const args = [
    'run',
    document,
    `--url=${server.url}`,
    `--max-time=${seconds}`,
    `--checks=${(checks.length > 0 ? checks : CHECKS).join()}`,
    '--workers=2',
    '--phases=coverage,fuzzing',
    '--continue-on-failure',
    '--suppress-health-check=all',
    '--warnings=off',
    '--no-color',
    ...EXCLUDED.map((path) => `--exclude-path=${path}`),
    ...(token ? [`--header=Authorization: Bearer ${token}`] : []),
  ];
  const run = Bun.spawn([COMMAND, ...args], { cwd: dir, stdout: 'pipe', stderr: 'inherit' });
  const output = await run.stdout.text();
  const isOk = (await run.exited) === 0;
  if (!isOk) console.log(output.replaceAll(token ?? '\u0000', '…'));
  return isOk;
}

async function tokenOf(role: string, server: Awaited<ReturnType<typeof serve>>) {
  if (role === 'anonymous') return undefined;
  if (role === 'admin') return server.signIn(ADMIN.username, ADMIN.password);
  const [username, password] = ['fuzzed', 'straw-and-carrots-1'];
  const body = JSON.stringify({ email: 'fuzzed@example.com', username, password });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.url}/api/v2/auth/register`, { method: 'POST', headers, body });
  return server.signIn(username, password);
}

async function install(): Promise<void> {
  const script = `python3 -m venv "$VENV" && "$VENV/bin/pip" install -q --disable-pip-version-check schemathesis==${VERSION}`;
  const child = Bun.spawn(['sh', '-c', script], {
    env: { ...process.env, VENV: PYTHON },
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if ((await child.exited) !== 0) throw new Error('Schemathesis cannot be installed.');
}
