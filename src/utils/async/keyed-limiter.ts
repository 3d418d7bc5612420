export interface KeyedLimits {
  /** Maximum holders at once, over all keys. */
  readonly maxTotal: number;
  /** Maximum holders at once of one key. */
  readonly maxPerKey: number;
  /** Maximum callers that wait; the next one is refused. */
  readonly maxQueued: number;
  /**
   * The places that one owner may hold, as a multiple of the free places; the queue is shared in the
   * same way. With 1, a single owner gets half of the places. Default: 1.
   */
  readonly ownerShare?: number;
  /**
   * The same for the places of one key. With 3, a single owner gets three quarters of them. Without
   * it, one owner may hold all places of a key.
   */
  readonly ownerShareOfKey?: number;
}

export interface Claim {
  /** Owners share the places and the queue fairly. */
  readonly owner?: string | undefined;
  /** Ends the wait; the caller leaves the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Overrides the limit of the key. */
  readonly maxPerKey?: number | undefined;
}

/** Thrown by {@link KeyedLimiter.acquire} when the queue is full. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

/**
 * A semaphore with a total limit, a limit per key and a fair share per owner. A free place goes to
 * the waiting owner that holds the fewest, and rotates among the keys of that owner. Callers with
 * the same key and owner are served in order. A caller that waits for its key or its share never
 * delays the others.
 */
export class KeyedLimiter {
  readonly #limits: KeyedLimits;
  readonly #keys = new Counts();
  readonly #owners = new Counts();
  readonly #ownersOfKeys = new Counts();
  readonly #queue = new WaitingQueue();
  #total = 0;

  constructor(limits: KeyedLimits) {
    this.#limits = limits;
  }

  /** The number of places that are held. */
  get active(): number {
    return this.#total;
  }

  /** The number of callers that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * Waits for a place and resolves to the function that releases it (idempotent). Throws
   * QueueFullError when the queue, or the owner's share of it, is full; rejects with the signal's
   * reason and leaves the queue when the signal is aborted.
   */
  async acquire(key: string, claim: Claim = {}): Promise<() => void> {
    const { owner, signal, maxPerKey = this.#limits.maxPerKey } = claim;
    signal?.throwIfAborted();
    // Every caller that could run already does, so a newcomer that finds room overtakes nobody.
    const place = { key, maxPerKey, owner, pair: this.#pairOf(key, owner) };
    if (this.#hasKeyRoom(place) && this.#hasRoom(owner)) return this.#take(place);
    const freeInQueue = this.#limits.maxQueued - this.#queue.size;
    if (!this.#isWithinShare(this.#queue.countOf(owner), owner, freeInQueue)) {
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

  /** Callers without an owner have no share to respect. */
  #isWithinShare(held: number, owner: string | undefined, free: number): boolean {
    return free > 0 && (owner === undefined || held < (this.#limits.ownerShare ?? 1) * free);
  }

  #take(place: Place): () => void {
    this.#count(place, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
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
      if (this.#queue.remove(place, resolve)) reject(signal?.reason);
    };
    this.#queue.add(place, resolve);
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
      const start = this.#queue.shift(place);
      start(this.#take(place));
    }
  }

  /** Returns the next place to take: of the owners within their share, the one that holds the fewest. */
  #next(): Place | undefined {
    let first: Place | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const owner of this.#queue.owners()) {
      const held = this.#owners.of(owner);
      if (held >= fewest || !this.#hasRoom(owner)) continue;
      const place = this.#queue.find(owner, (it) => this.#hasKeyRoom(it));
      if (!place) continue;
      first = place;
      fewest = held;
    }
    return first;
  }
}

/** Everything that decides whether a caller may run. */
interface Place {
  readonly key: string;
  readonly maxPerKey: number;
  readonly owner: string | undefined;
  /** Identifies the key and the owner, if owners share the places of a key. */
  readonly pair: string | undefined;
}

/** Resumes a caller with the function that releases its place. */
type Start = (release: () => void) => void;

interface Line {
  readonly place: Place;
  readonly waiters: Set<Start>;
}

/**
 * Waiting callers, in one line per owner and place, so that finding the next one does not scan all
 * of them. Each line is first in, first out.
 */
class WaitingQueue {
  readonly #byOwner = new Map<string | undefined, Map<string, Line>>();
  readonly #counts = new Counts();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of waiting callers of an owner. */
  countOf(owner: string | undefined): number {
    return this.#counts.of(owner);
  }

  /** The owners of waiting callers. */
  owners(): Iterable<string | undefined> {
    return this.#byOwner.keys();
  }

  /** Returns the first place of an owner that passes the test; the line served least recently first. */
  find(owner: string | undefined, test: (place: Place) => boolean): Place | undefined {
    for (const { place } of this.#byOwner.get(owner)?.values() ?? []) {
      if (test(place)) return place;
    }
    return undefined;
  }

  add(place: Place, start: Start): void {
    const lines = this.#byOwner.get(place.owner) ?? new Map<string, Line>();
    this.#byOwner.set(place.owner, lines);
    const name = nameOf(place);
    const line = lines.get(name) ?? { place, waiters: new Set() };
    lines.set(name, line);
    line.waiters.add(start);
    this.#count(place, 1);
  }

  /** Removes a caller; returns false if it was not waiting. */
  remove(place: Place, start: Start): boolean {
    const lines = this.#byOwner.get(place.owner);
    const line = lines?.get(nameOf(place));
    if (!lines || !line?.waiters.delete(start)) return false;
    if (line.waiters.size === 0) lines.delete(nameOf(place));
    if (lines.size === 0) this.#byOwner.delete(place.owner);
    this.#count(place, -1);
    return true;
  }

  /** Removes and returns the first caller of a line, which moves behind the owner's other lines. */
  shift(place: Place): Start {
    const lines = this.#byOwner.get(place.owner);
    const line = lines?.get(nameOf(place));
    const [start] = line?.waiters ?? [];
    if (!lines || !line || !start) throw new RangeError('No caller waits for this place');
    lines.delete(nameOf(place));
    lines.set(nameOf(place), line);
    this.remove(place, start);
    return start;
  }

  #count({ owner }: Place, change: 1 | -1): void {
    this.#counts.add(owner, change);
    this.#size += change;
  }
}

function nameOf({ key, maxPerKey }: Place): string {
  return `${maxPerKey} ${key}`;
}

/** Counts by name. A count of zero uses no memory. */
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
