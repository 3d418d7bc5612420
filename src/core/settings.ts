import { availableParallelism } from 'node:os';
import { LOG_LEVELS } from './log.ts';

/** One setting: HUTCH_<NAME> in the environment, --<flag> where it has one. */
export interface Setting<T> {
  env: string;
  flag?: string;
  help: string;
  default: T;
  /** Also read from the file that <env>_FILE names, and never shown. */
  secret?: boolean;
  /** Gives the value, or a reason why `text` is none. */
  parse(text: string): { value: T } | { problem: string };
}

const text = (): Setting<string>['parse'] => (value) => ({ value });

const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (value: string) =>
    choices.includes(value as T)
      ? { value: value as T }
      : { problem: `must be one of ${choices.join(', ')}` };

const wholeNumber = (least: number, most: number) => (value: string) => {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  return number >= least && number <= most
    ? { value: number }
    : { problem: `must be a whole number from ${least} to ${most}` };
};

const hosts = (value: string) => {
  const list = value.split(/[\s,]+/).filter((entry) => entry !== '');
  const wrong = list.find((entry) => !/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.test(entry));
  return wrong === undefined
    ? { value: list }
    : { problem: `must list host or host:port entries, and ${JSON.stringify(wrong)} is none` };
};

function setting<T>(
  env: string,
  fallback: T,
  parse: Setting<T>['parse'],
  help: string,
  more: { flag?: string; secret?: boolean } = {},
): Setting<T> {
  return { env, default: fallback, parse, help, ...more };
}

/** Every setting there is: the source of the flags, of --help and of .env.example. */
export const SETTINGS = {
  host: setting('HUTCH_HOST', '127.0.0.1', text(), 'Address to listen on.', { flag: 'host' }),
  port: setting('HUTCH_PORT', 3000, wholeNumber(0, 65_535), 'Port; 0 takes a free one.', {
    flag: 'port',
  }),
  dataDir: setting('HUTCH_DATA_DIR', './data', text(), 'Directory that holds hutch.db.', {
    flag: 'data-dir',
  }),
  logLevel: setting(
    'HUTCH_LOG_LEVEL',
    'info',
    oneOf(...LOG_LEVELS),
    'debug (each request), info, warn or error.',
    { flag: 'log-level' },
  ),
  logFormat: setting(
    'HUTCH_LOG_FORMAT',
    'auto',
    oneOf('auto', 'json', 'text'),
    'json, text, or auto: text on a terminal.',
  ),
  registration: setting(
    'HUTCH_REGISTRATION',
    'open',
    oneOf('open', 'closed'),
    'Who may create accounts: open (anyone) or closed (admins).',
  ),
  sessionDays: setting('HUTCH_SESSION_DAYS', 30, wholeNumber(1, 3650), 'Life of a token.'),
  hashConcurrency: setting(
    'HUTCH_HASH_CONCURRENCY',
    availableParallelism(),
    wholeNumber(1, 64),
    'Passwords hashed at once (19 MiB and a core each); default: the cores.',
  ),
  popularTtlSeconds: setting(
    'HUTCH_POPULAR_TTL_SECONDS',
    60,
    wholeNumber(1, 86_400),
    'How long the popular items are kept in the cache.',
  ),
  cacheMaxEntries: setting(
    'HUTCH_CACHE_MAX_ENTRIES',
    10_000,
    wholeNumber(1, 10_000_000),
    'Answers kept in the cache, at most.',
  ),
  cacheMaxBytes: setting(
    'HUTCH_CACHE_MAX_BYTES',
    16_777_216,
    wholeNumber(1024, 1e12),
    'Size of the cache, at most.',
  ),
  maxBodyBytes: setting(
    'HUTCH_MAX_BODY_BYTES',
    1_048_576,
    wholeNumber(1024, 1_073_741_824),
    'Largest request body.',
  ),
  externalAllowHosts: setting<string[]>(
    'HUTCH_EXTERNAL_ALLOW_HOSTS',
    [],
    hosts,
    'host or host:port entries that outside calls may reach though they are private.',
  ),
  externalMaxUrls: setting(
    'HUTCH_EXTERNAL_MAX_URLS',
    32,
    wholeNumber(1, 256),
    'URLs that one request may ask for.',
  ),
  externalTimeoutMs: setting(
    'HUTCH_EXTERNAL_TIMEOUT_MS',
    10_000,
    wholeNumber(100, 60_000),
    'Deadline of an outside call, all in all.',
  ),
  externalMaxBytes: setting(
    'HUTCH_EXTERNAL_MAX_BYTES',
    1_048_576,
    wholeNumber(1024, 1_073_741_824),
    'Largest outside answer, before and after decompression.',
  ),
  adminEmail: setting('HUTCH_ADMIN_EMAIL', '', text(), 'First admin, made at start if absent.'),
  adminUsername: setting('HUTCH_ADMIN_USERNAME', '', text(), 'First admin.'),
  adminPassword: setting('HUTCH_ADMIN_PASSWORD', '', text(), 'First admin.', { secret: true }),
  shutdownSeconds: setting(
    'HUTCH_SHUTDOWN_SECONDS',
    10,
    wholeNumber(0, 300),
    'How long a stop waits for requests under way.',
  ),
};
