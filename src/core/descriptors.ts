import { readdirSync, readFileSync, statSync } from 'node:fs';
import { MINUTE_MS } from '../utils/time/units.ts';
import type { Log } from './log.ts';

/** The file descriptors of this process; null where the system does not tell. */
export interface Descriptors {
  open: number | null;
  /** RLIMIT_NOFILE. Bun raises the soft limit to the hard one when it starts. */
  limit: number | null;
}

export interface DescriptorWatchOptions {
  log: Log;
  /** Closes connections on which nothing is under way; returns how many. */
  closeIdle(): number;
  read?: () => Descriptors;
  everyMs?: number;
}

const DIRECTORY = '/proc/self/fd';
const EVERY_MS = 1_000;
const WARN_EVERY_MS = MINUTE_MS;
/** Part of the limit from which on connections without work are closed. */
const NEARLY_ALL = 0.9;

/** Returns how many descriptors are open, and how many may be. Linux only. */
export function readDescriptors(): Descriptors {
  limit ??= readLimit();
  return { open: limit === null ? null : countOpen(limit), limit };
}

let limit: number | null | undefined;

/**
 * Watches the descriptors until the function that it returns is called. When nearly all are taken
 * it closes idle connections and warns: without a free one no connection is accepted, and Bun
 * tries to in a loop that takes half a core.
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
    log.warn('File descriptors run out: raise the limit (LimitNOFILE, ulimit -n).', {
      ...{ open, limit, closed_connections: closed },
    });
  };
  // Once before they run out, because learning the limit takes one.
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

/** Since Linux 6.2 the size of the directory is the count, which takes no descriptor to learn. */
function countOpen(limit: number): number | null {
  try {
    return statSync(DIRECTORY).size || readdirSync(DIRECTORY).length;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? limit : null;
  }
}
