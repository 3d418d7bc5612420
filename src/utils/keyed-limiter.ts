export interface KeyedLimits {
  /** Most holders at once over all keys. */
  readonly maxTotal: number;
  /** Most holders at once of one key. */
  readonly maxPerKey: number;
  /** Most callers that may wait; one more is refused. */
  readonly maxQueued: number;
}

/** Thrown by {@link KeyedLimiter.acquire} when as many callers wait as may wait. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

interface Waiter {
  readonly key: string;
  readonly maxPerKey: number;
  readonly start: (release: () => void) => void;
}

/**
 * A semaphore with a limit in all and one per key. First come, first served, except that a
 * caller whose key is at its limit never holds up the callers of other keys.
 */
export class KeyedLimiter {
  readonly #limits: KeyedLimits;
  readonly #holders = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #total = 0;

  constructor(limits: KeyedLimits) {
    this.#limits = limits;
  }

  /** How many hold a place now. */
  get active(): number {
    return this.#total;
  }

  /** How many wait for a place now. */
  get queued(): number {
    return this.#waiters.size;
  }

  /**
   * Waits for a place and resolves to the function that gives it back (calling it again does
   * nothing). Throws QueueFullError; rejects with the signal's reason and leaves the queue
   * when the signal is aborted. This caller's own `maxPerKey` may be another.
   */
  async acquire(
    key: string,
    signal?: AbortSignal,
    maxPerKey = this.#limits.maxPerKey,
  ): Promise<() => void> {
    signal?.throwIfAborted();
    // Whoever could run already does, so a newcomer that finds room overtakes nobody.
    if (this.#admits(key, maxPerKey)) return this.#take(key);
    if (this.#waiters.size >= this.#limits.maxQueued) throw new QueueFullError('the queue is full');
    return this.#wait(key, maxPerKey, signal);
  }

  #admits(key: string, maxPerKey: number): boolean {
    const holders = this.#holders.get(key) ?? 0;
    return this.#total < this.#limits.maxTotal && holders < maxPerKey;
  }

  #take(key: string): () => void {
    this.#total += 1;
    this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) this.#give(key);
      held = false;
    };
  }

  async #wait(
    key: string,
    maxPerKey: number,
    signal: AbortSignal | undefined,
  ): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = { key, maxPerKey, start: resolve };
    const leave = () => {
      if (this.#waiters.delete(waiter)) reject(signal?.reason);
    };
    this.#waiters.add(waiter);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #give(key: string): void {
    const left = (this.#holders.get(key) ?? 1) - 1;
    this.#total -= 1;
    if (left > 0) this.#holders.set(key, left);
    else this.#holders.delete(key);
    this.#startNext();
  }

  #startNext(): void {
    for (const waiter of this.#waiters) {
      if (!this.#admits(waiter.key, waiter.maxPerKey)) continue;
      this.#waiters.delete(waiter);
      waiter.start(this.#take(waiter.key));
      return;
    }
  }
}
