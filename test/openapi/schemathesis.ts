/**
 * `bun run fuzz:schemathesis [seconds] [option…]`: sends requests that Schemathesis derives from
 * the document to the compiled binary, with all checks, as an admin, as a user and without an
 * account, for `seconds` each. Options are those of `schemathesis run`, such as `--seed=1` or `--checks=…`.
 * schemathesis_hooks.py adjusts the checks that no schema can satisfy.
 */
import { join, resolve } from 'node:path';
import { ADMIN, hutch, type RunningHutch, serve } from '../process/hutch.ts';
import { tempDir } from '../support.ts';

const VERSION = '4.32.5';
const PYTHON = resolve(`node_modules/.cache/schemathesis-${VERSION}`);
const COMMAND = join(PYTHON, 'bin/schemathesis');
const DEFAULT_SECONDS = 600;
/** An event stream never ends. */
const EXCLUDED = '/api/v2/items/events';
const ROLES = ['anonymous', 'user', 'admin'] as const;
type Role = (typeof ROLES)[number];
/** Signs in by email, because an operation changes the username. */
interface Account {
  email: string;
  password: string;
}
const USER: Account = { email: 'fuzzed@example.com', password: 'straw-and-carrots-1' };

const [seconds = String(DEFAULT_SECONDS), ...options] = Bun.argv.slice(2);
if (Bun.which('python3')) {
  if (!(await Bun.file(COMMAND).exists())) await install();
  await runAll();
} else {
  console.log('Skipped: Schemathesis needs python3.');
}

async function runAll(): Promise<void> {
  let failed = 0;
  for (const role of ROLES) {
    const isOk = await runAs(role);
    console.log(`${isOk ? 'ok  ' : 'FAIL'} as ${role}`);
    if (!isOk) failed++;
  }
  console.log(`${ROLES.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function runAs(role: Role): Promise<boolean> {
  const dir = tempDir();
  const env = { ...ADMIN.env, HUTCH_RATE_LIMIT: 'off' };
  await using server = await serve(dir, { env });
  const [document, config] = [join(dir, 'openapi.json'), join(dir, 'schemathesis.toml')];
  await Bun.write(document, (await hutch(['openapi'])).stdout);
  await Bun.write(config, configOf(await accountOf(role, server)));
  const args = [
    `--config-file=${config}`,
    'run',
    document,
    `--url=${server.url}`,
    `--exclude-path=${EXCLUDED}`,
    '--no-color',
    ...options,
  ];
  const run = Bun.spawn([COMMAND, ...args], { cwd: dir, stdout: 'pipe', stderr: 'inherit' });
  const output = await run.stdout.text();
  const isOk = (await run.exited) === 0;
  console.log(isOk ? output.slice(output.indexOf('API Operations:')) : output);
  return isOk;
}

/** Returns the account of a role; undefined for a role without one. */
async function accountOf(role: Role, server: RunningHutch): Promise<Account | undefined> {
  if (role === 'anonymous') return undefined;
  if (role === 'admin') return { email: ADMIN.env.HUTCH_ADMIN_EMAIL, password: ADMIN.password };
  const body = JSON.stringify({ ...USER, username: 'fuzzed' });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.url}/api/v2/auth/register`, { method: 'POST', headers, body });
  return USER;
}

/** Returns the configuration, which signs in again after a 401: some operations end the session. */
function configOf(account: Account | undefined): string {
  const auth =
    account &&
    `[auth.dynamic.openapi.bearer]
path = "/api/v1/login/access-token"
payload = { username = "${account.email}", password = "${account.password}" }
payload_content_type = "application/x-www-form-urlencoded"
extract_selector = "/access_token"
retry_on = [401]`;
  return `hooks = "${resolve('test/openapi/schemathesis_hooks.py')}"
max-time = ${seconds}
workers = 2
continue-on-failure = true
suppress-health-check = ["all"]
warnings = false
${auth ?? ''}`;
}

async function install(): Promise<void> {
  const script = `set -e
    python3 -c 'import ensurepip' || { apt-get update -qq; apt-get install -y -qq python3-venv; }
    python3 -m venv "$VENV"
    "$VENV/bin/pip" install -q --disable-pip-version-check schemathesis==${VERSION}`;
  const child = Bun.spawn(['sh', '-c', script], {
    env: { ...process.env, VENV: PYTHON },
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if ((await child.exited) !== 0) throw new Error('Schemathesis cannot be installed.');
}
