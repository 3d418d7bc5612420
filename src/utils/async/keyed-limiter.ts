import { Counts } from '../counts.ts';
import { type Place, type Start, WaitingLines } from './waiting-lines.ts';

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
  /**
   * The same for the places of one key. With 3, an owner alone gets three quarters of them. Without
   * it, one owner may hold all places of a key.
   */
  readonly ownerShareOfKey?: number;
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

/**
 * A semaphore with a limit in all, one per key and a fair share per owner. A free place goes to the
 * owner that holds the fewest, and there to each key in turn; callers that ask for the same key on
 * behalf of the same owner are served in the order in which they came. A caller that its key or its
 * owner holds up never holds up the others.
 */
export class KeyedLimiter {
  readonly #limits: KeyedLimits;
  readonly #keys = new Counts();
  readonly #owners = new Counts();
  readonly #ownersOfKeys = new Counts();
  readonly #lines = new WaitingLines();
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
    return this.#lines.size;
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
    const place = { key, maxPerKey, owner, pair: this.#pairOf(key, owner) };
    if (this.#hasKeyRoom(place) && this.#hasRoom(owner)) return this.#take(place);
    const freeInQueue = this.#limits.maxQueued - this.#lines.size;
    if (!this.#isWithinShare(this.#lines.of(owner), owner, freeInQueue)) {
      throw new QueueFullError('the queue is full');
    }
    return this.#wait(place, signal);
  }

  #pairOf(key: string, owner: string | undefined): string | undefined {
    const isShared = owner !== undefined && this.#limits.ownerShareOfKey !== undefined;
    return isShared ? `${key} ${owner}` : undefined;
  }

  #hasKeyRoom({ key, maxPerKey, pair }: Place): boolean {
    const free = maxPerKey - this.#keys.of(key);
    if (free <= 0 || pair === undefined) return free > 0;
    return this.#ownersOfKeys.of(pair) < (this.#limits.ownerShareOfKey ?? 1) * free;
  }

  #hasRoom(owner: string | undefined): boolean {
    return this.#isWithinShare(this.#owners.of(owner), owner, this.#limits.maxTotal - this.#total);
  }

  /** Without an owner, only whether there is room matters. */
  #isWithinShare(held: number, owner: string | undefined, free: number): boolean {
    return free > 0 && (owner === undefined || held < (this.#limits.ownerShare ?? 1) * free);
  }

  #take(place: Place): () => void {
    this.#count(place, 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#count(place, -1);
      this.#serve();
    };
  }

  #count({ key, owner, pair }: Place, change: 1 | -1): void {
    this.#total += change;
    this.#keys.add(key, change);
    this.#owners.add(owner, change);
    if (pair !== undefined) this.#ownersOfKeys.add(pair, change);
  }

  async #wait(place: Place, signal: AbortSignal | undefined): Promise<() => void> {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const leave = () => {
      if (this.#lines.remove(place, resolve)) reject(signal?.reason);
    };
    this.#lines.add(place, resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #serve(): void {
    while (this.#total < this.#limits.maxTotal) {
      const place = this.#next();
      if (!place) return;
      const start: Start = this.#lines.shift(place);
      start(this.#take(place));
    }
  }

  /** The place to give next: of the owners that may have one, to that which holds the fewest. */
  #next(): Place | undefined {
    let first: Place | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const owner of this.#lines.owners()) {
      const held = this.#owners.of(owner);
      if (held >= fewest || !this.#hasRoom(owner)) continue;
      const place = this.#lines.find(owner, (it) => this.#hasKeyRoom(it));
      if (!place) continue;
      first = place;
      fewest = held;
    }
    return first;
  }
}
