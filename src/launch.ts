/**
 * Settings for a small heap and more outside calls. By default JavaScriptCore sizes the heap by the
 * memory of the machine, the C library allocates an arena per thread, and Bun's fetch sends at most
 * 256 requests at once. All three read their settings before the first line of the program runs, so
 * the server restarts itself in the same process. Variables of the environment take precedence.
 */
const ENVIRONMENT = {
  BUN_CONFIG_MAX_HTTP_REQUESTS: '4096',
  BUN_JSC_forceRAMSize: String(128 * 2 ** 20),
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: String(128 * 2 ** 10),
  MALLOC_MMAP_THRESHOLD_: String(128 * 2 ** 10),
  MIMALLOC_PURGE_DELAY: '0',
};

const [, , command] = process.argv;
const isServer = Bun.isStandaloneExecutable && command === 'serve';
const isReady = Object.keys(ENVIRONMENT).every((name) => process.env[name] !== undefined);
if (isServer && !isReady && process.execve !== undefined && process.platform !== 'win32') {
  // Otherwise Bun warns at each start that execve is experimental.
  process.env['NODE_NO_WARNINGS'] = '1';
  try {
    process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], {
      ...ENVIRONMENT,
      ...process.env,
    });
  } catch {
    // The server also works with a larger heap and fewer outside calls.
  }
}
