import { AppError } from './exceptions.ts';

export interface FairTurnsOptions {
  /** Most that wait at once, in all and with one key. */
  maxWaiting: number;
  maxWaitingPerKey: number;
  /** How long a piece of work may go on before it waits for its turn. */
  sliceMs: number;
}

/** Lets a long piece of work, done in small steps, wait for its turn between them. */
export type Pace = () => Promise<void>;

/** Shares the event loop between long pieces of work. */
export interface FairTurns {
  /**
   * Returns the pace of one piece of work, to be awaited after each step. It resolves at once
   * while the slice lasts, then in a turn of the event loop that no other work shares; keys get
   * their turns by rotation. Throws overloaded when too many wait.
   */
  paceFor(key: string): Pace;
}

/** As many may wait as are done within seconds; a single key takes an eighth of the places. */
const DEFAULTS: FairTurnsOptions = { maxWaiting: 128, maxWaitingPerKey: 16, sliceMs: 3 };

export function createFairTurns(options: Partial<FairTurnsOptions> = {}): FairTurns {
  const limits = { ...DEFAULTS, ...options };
  const { sliceMs } = limits;
  const wait = createLine(limits);
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

/** Lets one of those who wait go on in each turn of the event loop. */
function createLine({ maxWaiting, maxWaitingPerKey }: FairTurnsOptions) {
  /** In the order of their next turns. */
  const byKey = new Map<string, (() => void)[]>();
  let length = 0;

  const next = () => {
    const [first] = byKey;
    if (!first) return;
    const [key, waiters] = first;
    byKey.delete(key);
    const goOn = waiters.shift();
    if (waiters.length > 0) byKey.set(key, waiters);
    length--;
    goOn?.();
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
