import { AppError } from './exceptions.ts';

export interface FairTurnsOptions {
  /** The most waiting tasks, in total and per key. */
  maxWaiting: number;
  maxWaitingPerKey: number;
  /** The time that a task may run before it waits for its turn. */
  sliceMs: number;
}

/** Awaited by a long task between its small steps. */
export type Pace = () => Promise<void>;

/** Shares the event loop fairly between long tasks. */
export interface FairTurns {
  /**
   * Returns the pace of one task, to be awaited after each step. It resolves immediately during the
   * slice, then in a turn of the event loop that no other task uses; keys take turns by rotation.
   * Throws overloaded if too many tasks wait.
   */
  paceFor(key: string): Pace;
}

/** Allows as many waiting tasks as finish within seconds, and an eighth of them per key. */
const DEFAULTS: FairTurnsOptions = { maxWaiting: 128, maxWaitingPerKey: 16, sliceMs: 3 };

export function createFairTurns(options: Partial<FairTurnsOptions> = {}): FairTurns {
  const limits = { ...DEFAULTS, ...options };
  const { sliceMs } = limits;
  const wait = createRotation(limits);
  return {
    paceFor: (key) => {
      let sinceMs = performance.now();
      return async () => {
        if (performance.now() - sinceMs < sliceMs) return;
        await wait(key);
        sinceMs = performance.now();
      };
    },
  };
}

/** Resumes one waiting task in each turn of the event loop. */
function createRotation({ maxWaiting, maxWaitingPerKey }: FairTurnsOptions) {
  /** Keys in the order of their next turns. */
  const byKey = new Map<string, (() => void)[]>();
  let length = 0;

  const next = () => {
    const [first] = byKey;
    if (!first) return;
    const [key, waiters] = first;
    byKey.delete(key);
    const resume = waiters.shift();
    if (waiters.length > 0) byKey.set(key, waiters);
    length--;
    resume?.();
    if (length > 0) setImmediate(next);
  };
  /** Throws overloaded. */
  return (key: string): Promise<void> => {
    const waiters = byKey.get(key) ?? [];
    if (length >= maxWaiting || waiters.length >= maxWaitingPerKey) {
      const msg = 'Too many long lists are being read';
      throw new AppError('overloaded', msg, { retryAfterSeconds: 1 });
    }
    byKey.set(key, waiters);
    if (length === 0) setImmediate(next);
    length++;
    return new Promise((resolve) => void waiters.push(resolve));
  };
}
