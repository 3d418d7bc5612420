import { readFileSync } from 'node:fs';
import { withoutServiceLinks } from '../../utils/http/service-links.ts';
import { reasonOf } from '../../utils/system-error.ts';
import { accountProblems } from '../../utils/text/account.ts';
import { StartupError } from '../exceptions.ts';
import { providerProblems } from './providers.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

/** All settings, parsed and checked. */
export type Config = Readonly<{
  [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;
}>;

/** bun-types/docs/runtime/networking/fetch.mdx, "Simultaneous connection limit". */
const BUN_FETCH_LIMIT = 256;

type Env = Record<string, string | undefined>;

/** All invalid settings, one line each. */
export class ConfigError extends StartupError {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The effective value of a setting. */
export interface EffectiveSetting {
  setting: Setting<unknown>;
  value: unknown;
  source: 'command line' | 'environment' | 'file' | 'default';
  /** The option, the variable or the path of the file; undefined for a default. */
  from: string | undefined;
}

/**
 * Reads flags, then the environment, then defaults. Ignores empty variables and those that
 * Kubernetes or Docker creates for a service named hutch. Throws a ConfigError that names every
 * invalid setting and every unknown HUTCH_ variable.
 */
export function loadConfig(flags: Record<string, string> = {}, all: Env = process.env): Config {
  return readAll(flags, all).config;
}

/**
 * Returns the number of concurrent requests of Bun's fetch in this process; further ones wait. Bun
 * reads the variable when the process starts (launch.ts).
 */
export function fetchLimit(env: Env = process.env): number {
  return Number(env['BUN_CONFIG_MAX_HTTP_REQUESTS']) || BUN_FETCH_LIMIT;
}

/** Returns all effective settings, in the order of SETTINGS. Throws ConfigError like loadConfig. */
export function effectiveSettings(
  flags: Record<string, string> = {},
  all: Env = process.env,
): EffectiveSetting[] {
  return readAll(flags, all).settings;
}

function readAll(flags: Record<string, string>, all: Env) {
  const env = withoutServiceLinks(all);
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(
    ([key, setting]) => [key, readSetting(setting, flags, env, problems)] as const,
  );
  const config = Object.fromEntries(entries.map(([key, { value }]) => [key, value])) as Config;
  problems.push(...unknownNames(env), ...adminProblems(config), ...providerProblems(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: Object.freeze(config), settings: entries.map(([, it]) => it) };
}

function readSetting(
  setting: Setting<unknown>,
  flags: Record<string, string>,
  env: Env,
  problems: string[],
): EffectiveSetting {
  const input = readText(setting, flags, env, problems);
  if (input) {
    const { text, source, from, name } = input;
    const parsed = setting.parse(text);
    if ('value' in parsed) return { setting, value: parsed.value, source, from };
    problems.push(`${name} ${parsed.problem}.`);
  }
  return { setting, value: setting.default, source: 'default', from: undefined };
}

interface InputText extends Pick<EffectiveSetting, 'source' | 'from'> {
  text: string;
  /** The option or variable with the text. */
  name: string;
}

function readText(
  { env: variable, flag, secret }: Setting<unknown>,
  flags: Record<string, string>,
  env: Env,
  problems: string[],
): InputText | undefined {
  if (flag && flags[flag] !== undefined) {
    return { text: flags[flag], source: 'command line', from: `--${flag}`, name: `--${flag}` };
  }
  const fileName = `${variable}_FILE`;
  const file = secret ? env[fileName] : undefined;
  const text = env[variable];
  if (file && text) problems.push(`${variable} and ${fileName} are both set.`);
  if (text) return { text, source: 'environment', from: variable, name: variable };
  if (!file) return undefined;
  try {
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return { text: content, source: 'file', from: file, name: fileName };
  } catch (error) {
    problems.push(`${fileName} names a file that cannot be read: ${file} (${reasonOf(error)}).`);
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
  const fields = [config.adminEmail, config.adminUsername, config.adminPassword];
  if (!fields.some(Boolean)) return [];
  if (!fields.every(Boolean)) {
    return [
      'HUTCH_ADMIN_EMAIL, HUTCH_ADMIN_USERNAME and HUTCH_ADMIN_PASSWORD must be set together.',
    ];
  }
  const [email = '', username = '', password = ''] = fields;
  return accountProblems({ email, username, password }).map((it) => `First admin: ${it}`);
}
