import { MINUTE_MS } from '../../utils/time/units.ts';
import type { Log } from '../log.ts';

/** Runs `wake` once after `delayMs`. Returns a function that cancels it. */
export type SetTimer = (wake: () => void, delayMs: number) => () => void;

export interface WakesDeps {
  log: Log;
  setTimer?: SetTimer | undefined;
  /** Handles what is due, of all names if undefined. Returns the milliseconds until something else is. */
  pass(names: ReadonlySet<string> | undefined): Promise<number>;
}

/** The longest sleep: other processes queue jobs too, and the clock may be set. */
const POLL_MS = 5_000;
/** The shortest sleep while something is due that cannot start yet. */
const BLOCKED_MS = 1_000;
const FAILURE_MS = MINUTE_MS;

/** Calls `pass` whenever something may be due, one call at a time. */
export function createWakes({ log, setTimer = setUnrefTimer, pass }: WakesDeps) {
  let isStarted = false;
  let isAll = false;
  let woken = new Set<string>();
  let running: Promise<void> | undefined;
  let cancelTimer = () => {};

  const wake = (name?: string): void => {
    if (!isStarted) return;
    if (name === undefined) isAll = true;
    else woken.add(name);
    running ??= passes();
  };
  const passOnce = (): Promise<number> => {
    const names = isAll ? undefined : woken;
    isAll = false;
    woken = new Set();
    return pass(names);
  };
  const passes = async (): Promise<void> => {
    cancelTimer();
    let delayMs = FAILURE_MS;
    try {
      do delayMs = await passOnce();
      while (isStarted && (isAll || woken.size > 0));
      delayMs = Math.min(delayMs > 0 ? delayMs : BLOCKED_MS, POLL_MS);
    } catch (error) {
      if (isStarted) log.error('The job queue failed.', { error });
      delayMs = FAILURE_MS;
    }
    // No await from the last check to here: a wake meanwhile would be lost.
    running = undefined;
    if (isStarted) cancelTimer = setTimer(() => wake(), delayMs);
  };
  return {
    wake,
    start: (): void => {
      isStarted = true;
      wake();
    },
    /** Starts no more passes and waits for the current one. */
    stop: async (): Promise<void> => {
      isStarted = false;
      cancelTimer();
      await running;
    },
  };
}

export function setUnrefTimer(wake: () => void, delayMs: number): () => void {
  const timer = setTimeout(wake, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
