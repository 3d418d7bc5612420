/**
 * Starts the server again in the same process with a small heap. JavaScriptCore lets the heap grow
 * by the memory of the machine, and the C library keeps an arena for each thread: both read their
 * settings before the first line of the program runs. A setting of the environment wins.
 */
const SMALL_HEAP = {
  BUN_JSC_forceRAMSize: String(128 * 2 ** 20),
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: String(128 * 2 ** 10),
  MALLOC_MMAP_THRESHOLD_: String(128 * 2 ** 10),
  MIMALLOC_PURGE_DELAY: '0',
};

const [, , command] = process.argv;
const isServer = Bun.isStandaloneExecutable && command === 'serve';
const isReady = process.env['BUN_JSC_forceRAMSize'] !== undefined;
if (isServer && !isReady && process.execve !== undefined && process.platform !== 'win32') {
  // Bun calls execve experimental, on each start.
  process.env['NODE_NO_WARNINGS'] = '1';
  try {
    process.execve(process.execPath, [process.execPath, ...process.argv.slice(2)], {
      ...SMALL_HEAP,
      ...process.env,
    });
  } catch {
    // The server works as well with a larger heap.
  }
}
