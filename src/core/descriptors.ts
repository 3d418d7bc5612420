import { readdirSync, readFileSync, statSync } from 'node:fs';
import { MINUTE_MS } from '../utils/time/units.ts';
import type { Log } from './log.ts';

/** The file descriptors of this process; null if the system does not report them. */
export interface Descriptors {
  open: number | null;
  /** RLIMIT_NOFILE. Bun raises the soft limit to the hard one when it starts. */
  limit: number | null;
}

export interface DescriptorWatchOptions {
  log: Log;
  /** Closes idle connections; returns their number. */
  closeIdle(): number;
  read?: () => Descriptors;
  everyMs?: number;
}

const DIRECTORY = '/proc/self/fd';
const EVERY_MS = 1_000;
const WARN_EVERY_MS = MINUTE_MS;
/** The share of the limit above which idle connections are closed. */
const NEARLY_ALL = 0.9;

/** Returns the number of open descriptors and the limit. Linux only. */
export function readDescriptors(): Descriptors {
  limit ??= readLimit();
  return { open: limit === null ? null : countOpen(limit), limit };
}

let limit: number | null | undefined;

/**
 * Watches the descriptors until the returned function is called. If nearly all are in use, closes
 * idle connections and warns: without a free descriptor Bun accepts no connection, and retries in a
 * loop that uses half a core.
 */
export function watchDescriptors(options: DescriptorWatchOptions): () => void {
  const { log, closeIdle, read = readDescriptors, everyMs = EVERY_MS } = options;
  let warnedMs = Number.NEGATIVE_INFINITY;
  const look = () => {
    const { open, limit } = read();
    if (open === null || limit === null || open < limit * NEARLY_ALL) return;
    const closed = closeIdle();
    if (performance.now() - warnedMs < WARN_EVERY_MS) return;
    warnedMs = performance.now();
    log.warn('File descriptors are running out: raise the limit (LimitNOFILE, ulimit -n).', {
      ...{ open, limit, closed_connections: closed },
    });
  };
  // Runs once now, because reading the limit needs a free descriptor.
  look();
  const timer = setInterval(look, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function readLimit(): number | null {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/** Since Linux 6.2 the size of the directory is the count; reading it needs no descriptor. */
function countOpen(limit: number): number | null {
  try {
    return statSync(DIRECTORY).size || readdirSync(DIRECTORY).length;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limit : null;
  }
}
