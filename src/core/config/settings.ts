import { LOG_LEVELS } from '../log.ts';
import { ACCOUNT_SETTINGS } from './accounts.ts';
import { ITEM_SETTINGS } from './items.ts';
import { PROVIDER_SETTINGS } from './providers.ts';
import { QUOTA_SETTINGS } from './quotas.ts';
import { hosts, name, oneOf, path, setting, text, wholeNumber } from './setting.ts';
import { SOURCE_SETTINGS } from './sources.ts';

/** All settings: the source of the flags, of --help and of .env.example. */
export const SETTINGS = {
  host: setting('HUTCH_HOST', '127.0.0.1', text(), 'Address to listen on.', { flag: 'host' }),
  port: setting('HUTCH_PORT', 3000, wholeNumber(0, 65_535), 'Port; 0 selects a free one.', {
    flag: 'port',
  }),
  dataDir: setting('HUTCH_DATA_DIR', './data', path, 'Directory of hutch.db.', {
    flag: 'data-dir',
  }),
  resourcesDir: setting(
    'HUTCH_RESOURCES_DIR',
    './resources',
    path,
    'Directory with the files (*.ts) of your own resources; the default one may be missing.',
    { flag: 'resources-dir' },
  ),
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
    'Name for users: in mails, on pages, in authenticators and for passkeys.',
  ),
  ...ACCOUNT_SETTINGS,
  ...PROVIDER_SETTINGS,
  ...ITEM_SETTINGS,
  ...QUOTA_SETTINGS,
  cacheMaxEntries: setting(
    'HUTCH_CACHE_MAX_ENTRIES',
    10_000,
    wholeNumber(1, 10_000_000),
    'Most entries in the cache.',
  ),
  cacheMaxBytes: setting(
    'HUTCH_CACHE_MAX_BYTES',
    16_777_216,
    wholeNumber(1024, 1e12),
    'Largest size of the cache.',
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
    'Largest (streamed) import of items.',
  ),
  externalAllowHosts: setting<string[]>(
    'HUTCH_EXTERNAL_ALLOW_HOSTS',
    [],
    hosts,
    'host or host:port entries with private addresses that external calls may reach.',
  ),
  externalOnlyHosts: setting<string[]>(
    'HUTCH_EXTERNAL_ONLY_HOSTS',
    [],
    hosts,
    'The only host or host:port entries that external calls may reach; none: any public host.',
  ),
  externalMaxUrls: setting(
    'HUTCH_EXTERNAL_MAX_URLS',
    32,
    wholeNumber(1, 256),
    'URLs that one request may fetch.',
  ),
  externalMaxCalls: setting(
    'HUTCH_EXTERNAL_MAX_CALLS',
    256,
    wholeNumber(1, 4_000),
    'Concurrent external calls; one caller may use half of them.',
  ),
  externalMaxCallsPerHost: setting(
    'HUTCH_EXTERNAL_MAX_CALLS_PER_HOST',
    32,
    wholeNumber(1, 4_000),
    'Concurrent external calls to one host; one caller may use three quarters of them.',
  ),
  externalTimeoutMs: setting(
    'HUTCH_EXTERNAL_TIMEOUT_MS',
    10_000,
    wholeNumber(100, 60_000),
    'Total deadline of an external call.',
  ),
  externalMaxBytes: setting(
    'HUTCH_EXTERNAL_MAX_BYTES',
    1_048_576,
    wholeNumber(1024, 1_073_741_824),
    'Largest external response, before and after decompression.',
  ),
  maxListeners: setting(
    'HUTCH_MAX_LISTENERS',
    2000,
    wholeNumber(1, 1_000_000),
    'Concurrent event streams; each may buffer 256 KiB of unread data.',
  ),
  heartbeatSeconds: setting(
    'HUTCH_HEARTBEAT_SECONDS',
    15,
    wholeNumber(1, 25),
    'Seconds between the heartbeats of an event stream; each checks its session again.',
  ),
  admissionControl: setting(
    'HUTCH_ADMISSION_CONTROL',
    'on',
    oneOf('on', 'off'),
    'on rejects requests with 503 while more arrive than can be served in time; off lets all wait.',
  ),
  ...SOURCE_SETTINGS,
  idleSeconds: setting(
    'HUTCH_IDLE_SECONDS',
    30,
    wholeNumber(4, 240),
    'Idle connections are closed after this many seconds. A proxy that reuses connections should close them earlier.',
  ),
  shutdownSeconds: setting(
    'HUTCH_SHUTDOWN_SECONDS',
    10,
    wholeNumber(0, 300),
    'How long a stop waits for running requests.',
  ),
};
