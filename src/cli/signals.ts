import { constants } from 'node:os';
import type { Log } from '../core/log.ts';

/** What service managers, terminals and containers send to end a program. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;
/** Of a limit of CPU time: the kernel kills the process soon after it. */
const ENDING_SERVER = [...ENDING, 'SIGXCPU'] as const;
/**
 * What tools for log rotation and reloads send, and what timers and watched files of a parent leave
 * behind. There is nothing to reopen or to reload. Signals of faults, as SIGSEGV, end the process.
 */
const HARMLESS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO'] as const;

/**
 * Listens for signals from now on, so that none is lost while the server starts: as process 1 of a
 * container it would not even end by those that it does not listen for. Returns a promise of the
 * first of SIGINT, SIGTERM, SIGQUIT and SIGXCPU; a second one calls `abort`. SIGHUP counts with them
 * on a terminal, whose end it tells of; elsewhere it is logged, as those are that change nothing.
 */
export function untilSignal(abort: (status: number) => void, log: Log): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isStopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (isStopping) abort(statusOf(signal));
    isStopping = true;
    resolve(signal);
  };
  const note = (signal: NodeJS.Signals) => {
    const msg = 'Nothing to reload: restart to change settings; the log goes to standard output.';
    log.info(msg, { signal });
  };
  for (const signal of ENDING_SERVER) process.on(signal, stop);
  for (const signal of HARMLESS) process.on(signal, note);
  process.on('SIGHUP', isOnTerminal() ? stop : note);
  return promise;
}

/**
 * Ends a command at the first SIGINT, SIGTERM or SIGQUIT, with one line and the status of a shell.
 * Transactions under way are rolled back, and what was committed stays. SIGHUP keeps its default,
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
