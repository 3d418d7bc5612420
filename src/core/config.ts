import { readFileSync } from 'node:fs';
import { accountProblems } from '../utils/account.ts';
import { withoutServiceLinks } from '../utils/service-links.ts';
import { StartupError } from './exceptions.ts';
import { providerProblems } from './provider-settings.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

/** All settings, parsed and checked. */
export type Config = Readonly<{
  [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
}>;

/** bun-types/docs/runtime/networking/fetch.mdx, "Simultaneous connection limit". */
const BUN_FETCH_LIMIT = 256;

type Env = Record<string, string | undefined>;

/** Wrong settings, all of them: one line each. */
export class ConfigError extends StartupError {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads flags, then the environment, then defaults. An empty variable counts as not set, and so
 * does one that Kubernetes or Docker makes for a service named hutch. Throws ConfigError that names
 * every wrong setting and every HUTCH_ variable that is none of ours.
 */
export function loadConfig(flags: Record<string, string> = {}, all: Env = process.env): Config {
  const env = withoutServiceLinks(all);
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([key, setting]) => {
    const given = readText(setting, flags, env, problems);
    if (given === undefined) return [key, setting.default];
    const parsed = setting.parse(given.text);
    if ('value' in parsed) return [key, parsed.value];
    problems.push(`${given.source} ${parsed.problem}.`);
    return [key, setting.default];
  });
  const config = Object.fromEntries(entries) as Config;
  problems.push(...unknownNames(env), ...adminProblems(config), ...providerProblems(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/**
 * Returns how many requests Bun's fetch makes at once in this process; one more waits, whoever makes
 * it. Bun reads the variable when the process starts (launch.ts).
 */
export function fetchLimit(env: Env = process.env): number {
  return Number(env['BUN_CONFIG_MAX_HTTP_REQUESTS']) || BUN_FETCH_LIMIT;
}

function readText(
  setting: Setting<unknown>,
  flags: Record<string, string>,
  env: Env,
  problems: string[],
): { text: string; source: string } | undefined {
  const { env: name, flag, secret } = setting;
  if (flag && flags[flag] !== undefined) return { text: flags[flag], source: `--${flag}` };
  const file = secret ? env[`${name}_FILE`] : undefined;
  if (file && env[name]) problems.push(`${name} and ${name}_FILE are both set.`);
  if (env[name]) return { text: env[name], source: name };
  if (!file) return undefined;
  try {
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, ''), source: `${name}_FILE` };
  } catch {
    problems.push(`${name}_FILE names a file that cannot be read: ${file}.`);
    return undefined;
  }
}

function unknownNames(env: Env): string[] {
  const known = new Set<string>();
  for (const { env: name, secret } of Object.values(SETTINGS) as Setting<unknown>[]) {
    known.add(name);
    if (secret) known.add(`${name}_FILE`);
  }
  return Object.keys(env)
    .filter((name) => name.startsWith('HUTCH_') && !known.has(name))
    .map((name) => `${name} is not a setting.`);
}

function adminProblems(config: Config): string[] {
  const given = [config.adminEmail, config.adminUsername, config.adminPassword];
  if (!given.some(Boolean)) return [];
  if (!given.every(Boolean)) {
    return ['HUTCH_ADMIN_EMAIL, HUTCH_ADMIN_USERNAME and HUTCH_ADMIN_PASSWORD go together.'];
  }
  const [email = '', username = '', password = ''] = given;
  return accountProblems({ email, username, password }).map((it) => `First admin: ${it}`);
}
