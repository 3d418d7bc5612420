export interface KeyedLimits {
  /** Most holders at once over all keys. */
  readonly maxTotal: number;
  /** Most holders at once of one key. */
  readonly maxPerKey: number;
  /** Most callers that may wait; one more is refused. */
  readonly maxQueued: number;
  /**
   * How many times as many places as are free one owner may hold, and so with the queue. With 1, an
   * owner alone gets half of them; the less, the more owners it takes to hold them all. Default 1.
   */
  readonly ownerShare?: number;
}

export interface Claim {
  /** On whose behalf the caller asks: owners share the places and the queue fairly. */
  readonly owner?: string | undefined;
  /** Ends the wait; the caller leaves the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Most holders of the key at once, if not as many as by default. */
  readonly maxPerKey?: number | undefined;
}

/** Thrown by {@link KeyedLimiter.acquire} when as many callers wait as may wait. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

interface Waiter {
  readonly key: string;
  readonly maxPerKey: number;
  readonly owner: string | undefined;
  readonly start: (release: () => void) => void;
}

/**
 * A semaphore with a limit in all, one per key and a fair share per owner. Of those who wait, the
 * one whose owner holds the fewest places is first, then who came first. A caller that its key or
 * its owner holds up never holds up the others.
 */
export class KeyedLimiter {
  readonly #limits: KeyedLimits;
  readonly #keys = new Counts();
  readonly #owners = new Counts();
  readonly #waitingOwners = new Counts();
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
   * nothing). Throws QueueFullError when the queue, or the owner's share of it, is full; rejects
   * with the signal's reason and leaves the queue when the signal is aborted.
   */
  async acquire(key: string, claim: Claim = {}): Promise<() => void> {
    const { owner, signal, maxPerKey = this.#limits.maxPerKey } = claim;
    signal?.throwIfAborted();
    // Whoever could run already does, so a newcomer that finds room overtakes nobody.
    if (this.#admits(key, maxPerKey, owner)) return this.#take(key, owner);
    const freeInQueue = this.#limits.maxQueued - this.#waiters.size;
    if (!this.#isWithinShare(this.#waitingOwners.of(owner), owner, freeInQueue)) {
      throw new QueueFullError('the queue is full');
    }
    return this.#wait({ key, maxPerKey, owner }, signal);
  }

  #admits(key: string, maxPerKey: number, owner: string | undefined): boolean {
    if (this.#keys.of(key) >= maxPerKey) return false;
    const free = this.#limits.maxTotal - this.#total;
    return this.#isWithinShare(this.#owners.of(owner), owner, free);
  }

  /** Without an owner, only whether there is room matters. */
  #isWithinShare(held: number, owner: string | undefined, free: number): boolean {
    return free > 0 && (owner === undefined || held < (this.#limits.ownerShare ?? 1) * free);
  }

  #take(key: string, owner: string | undefined): () => void {
    this.#total += 1;
    this.#keys.add(key, 1);
    this.#owners.add(owner, 1);
    let held = true;
    return () => {
      if (held) this.#give(key, owner);
      held = false;
    };
  }

  async #wait(claim: Omit<Waiter, 'start'>, signal: AbortSignal | undefined): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiter: Waiter = { ...claim, start: resolve };
    const leave = () => {
      if (this.#dequeue(waiter)) reject(signal?.reason);
    };
    this.#waiters.add(waiter);
    this.#waitingOwners.add(waiter.owner, 1);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #dequeue(waiter: Waiter): boolean {
    if (!this.#waiters.delete(waiter)) return false;
    this.#waitingOwners.add(waiter.owner, -1);
    return true;
  }

  #give(key: string, owner: string | undefined): void {
    this.#total -= 1;
    this.#keys.add(key, -1);
    this.#owners.add(owner, -1);
    for (let next = this.#next(); next; next = this.#next()) {
      this.#dequeue(next);
      next.start(this.#take(next.key, next.owner));
    }
  }

  #next(): Waiter | undefined {
    let first: Waiter | undefined;
    if (this.#total >= this.#limits.maxTotal) return first;
    for (const waiter of this.#waiters) {
      if (!this.#admits(waiter.key, waiter.maxPerKey, waiter.owner)) continue;
      if (!first || this.#owners.of(waiter.owner) < this.#owners.of(first.owner)) first = waiter;
    }
    return first;
  }
}

/** Counts by name; names that count nothing take no memory. */
class Counts {
  readonly #counts = new Map<string | undefined, number>();

  of(name: string | undefined): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string | undefined, change: number): void {
    const count = this.of(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
