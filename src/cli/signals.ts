import { constants } from 'node:os';
import type { Log } from '../core/log.ts';

/** The signals that service managers, terminals and containers send to end a program. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
/** SIGXCPU: the limit of CPU time is reached; the kernel kills the process soon after. */
const ENDING_SERVER = [...ENDING, 'SIGXCPU'] as const;
/**
 * Signals of log rotation and reload tools, and of timers and watched files that a parent process left
 * behind. There is nothing to reopen or reload. Fault signals such as SIGSEGV end the process.
 */
const HARMLESS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO'] as const;

/**
 * Listens for signals immediately, so that none is lost while the server starts; as process 1 of a
 * container, signals without a listener would not even end it. Resolves to the first of SIGINT,
 * SIGTERM, SIGQUIT and SIGXCPU; a second one calls `abort`. On a terminal, SIGHUP is handled like
 * them; elsewhere it is only logged, like the harmless signals.
 */
export function untilSignal(abort: (status: number) => void, log: Log): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) abort(statusOf(signal));
    isStopping = true;
    resolve(signal);
  };
  const logIgnored = (signal: NodeJS.Signals) => {
    const msg = 'Nothing to reload: restart to change settings; the log goes to standard output.';
    log.info(msg, { signal });
  };
  for (const signal of ENDING_SERVER) process.on(signal, stop);
  for (const signal of HARMLESS) process.on(signal, logIgnored);
  process.on('SIGHUP', isOnTerminal() ? stop : logIgnored);
  return promise;
}

/**
 * Ends a command at the first SIGINT, SIGTERM or SIGQUIT, with one line and the exit status of a
 * shell. Open transactions are rolled back; committed ones persist. SIGHUP has its default action,
 * which nohup changes.
 */
export function endOnSignal(name: string, abort: (status: number) => void): void {
  for (const signal of ENDING) {
    process.on(signal, () => {
      console.error(`hutch ${name}: stopped by ${signal}.`);
      abort(statusOf(signal));
    });
  }
}

function statusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function isOnTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}
