/**
 * Starts the server again in the same process with a small heap and room for outside calls.
 * JavaScriptCore lets the heap grow by the memory of the machine, the C library keeps an arena for
 * each thread, and Bun's fetch makes 256 requests at once: all three read their settings before
 * the first line of the program runs. A setting of the environment wins.
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
  // Bun calls execve experimental, on each start.
  process.env['NODE_NO_WARNINGS'] = '1';
  try {
    process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], {
      ...ENVIRONMENT,
      ...process.env,
    });
  } catch {
    // The server works as well with a larger heap and fewer outside calls.
  }
}
