import { LOG_LEVELS } from '../log.ts';
import { ACCOUNT_SETTINGS } from './accounts.ts';
import { ITEM_SETTINGS } from './items.ts';
import { PROVIDER_SETTINGS } from './providers.ts';
import { QUOTA_SETTINGS } from './quotas.ts';
import { hosts, name, oneOf, path, setting, text, wholeNumber } from './setting.ts';
import { SOURCE_SETTINGS } from './sources.ts';

/** Every setting there is: the source of the flags, of --help and of .env.example. */
export const SETTINGS = {
  host: setting('HUTCH_HOST', '127.0.0.1', text(), 'Address to listen on.', { flag: 'host' }),
  port: setting('HUTCH_PORT', 3000, wholeNumber(0, 65_535), 'Port; 0 takes a free one.', {
    flag: 'port',
  }),
  dataDir: setting('HUTCH_DATA_DIR', './data', path, 'Directory that holds hutch.db.', {
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
  appName: setting(
    'HUTCH_APP_NAME',
    'Hutch',
    name,
    'Name that people see: in mails, on the pages, in authenticators and for passkeys.',
  ),
  ...ACCOUNT_SETTINGS,
  ...PROVIDER_SETTINGS,
  ...ITEM_SETTINGS,
  ...QUOTA_SETTINGS,
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
  chunkedBodies: setting(
    'HUTCH_CHUNKED_BODIES',
    'refuse',
    oneOf('refuse', 'allow'),
    'Bodies without Content-Length, except imports: refuse (411) or allow.',
  ),
  maxImportBytes: setting(
    'HUTCH_MAX_IMPORT_BYTES',
    1_073_741_824,
    wholeNumber(1024, 1e12),
    'Largest import of items, which is streamed.',
  ),
  externalAllowHosts: setting<string[]>(
    'HUTCH_EXTERNAL_ALLOW_HOSTS',
    [],
    hosts,
    'host or host:port entries that outside calls may reach though they are private.',
  ),
  externalOnlyHosts: setting<string[]>(
    'HUTCH_EXTERNAL_ONLY_HOSTS',
    [],
    hosts,
    'host or host:port entries that outside calls may reach, and no other; none: any public host.',
  ),
  externalMaxUrls: setting(
    'HUTCH_EXTERNAL_MAX_URLS',
    32,
    wholeNumber(1, 256),
    'URLs that one request may ask for.',
  ),
  externalMaxCalls: setting(
    'HUTCH_EXTERNAL_MAX_CALLS',
    256,
    wholeNumber(1, 4_000),
    'Outside calls at once; one caller takes half of them at most.',
  ),
  externalMaxCallsPerHost: setting(
    'HUTCH_EXTERNAL_MAX_CALLS_PER_HOST',
    32,
    wholeNumber(1, 4_000),
    'Outside calls at once to one host; one caller takes three quarters of them at most.',
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
  maxListeners: setting(
    'HUTCH_MAX_LISTENERS',
    2000,
    wholeNumber(1, 1_000_000),
    'Event streams open at once, at most; each can hold 256 KiB that are not read yet.',
  ),
  heartbeatSeconds: setting(
    'HUTCH_HEARTBEAT_SECONDS',
    15,
    wholeNumber(1, 25),
    'Seconds between the heartbeats of an event stream; at each, its session is judged again.',
  ),
  admissionControl: setting(
    'HUTCH_ADMISSION_CONTROL',
    'on',
    oneOf('on', 'off'),
    'on refuses requests with 503 while more arrive than can be answered in time; off lets all wait.',
  ),
  ...SOURCE_SETTINGS,
  idleSeconds: setting(
    'HUTCH_IDLE_SECONDS',
    30,
    wholeNumber(4, 240),
    'A connection that sends and receives nothing for so many seconds is closed. A proxy that keeps connections open should give up sooner.',
  ),
  shutdownSeconds: setting(
    'HUTCH_SHUTDOWN_SECONDS',
    10,
    wholeNumber(0, 300),
    'How long a stop waits for requests under way.',
  ),
};
