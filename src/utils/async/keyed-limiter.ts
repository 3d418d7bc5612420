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

/** Thrown by `KeyedLimiter.acquire` when the queue is full. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
}

export interface KeyedLimiter {
  /** The number of places that are held. */
  readonly active: number;
  /** The number of callers that wait. */
  readonly queued: number;
  /**
   * Waits for a place and resolves to the function that releases it (idempotent). Throws
   * QueueFullError when the queue, or the owner's share of it, is full; rejects with the signal's
   * reason and leaves the queue when the signal is aborted.
   */
  acquire(key: string, claim?: Claim): Promise<() => void>;
}

/**
 * Creates a semaphore with a total limit, a limit per key and a fair share per owner. A free place
 * goes to the waiting owner that holds the fewest, and rotates among the keys of that owner. Callers
 * with the same key and owner are served in order. A caller that waits for its key or its share never
 * delays the others.
 */
export function createKeyedLimiter(limits: KeyedLimits): KeyedLimiter {
  const { maxTotal, maxQueued, ownerShare = 1, ownerShareOfKey } = limits;
  const keys = createCounts();
  const owners = createCounts();
  const ownersOfKeys = createCounts();
  const queue = createWaitingQueue();
  let total = 0;

  const pairOf = (key: string, owner: string | undefined): string | undefined =>
    owner !== undefined && ownerShareOfKey !== undefined ? `${key} ${owner}` : undefined;

  const hasKeyRoom = ({ key, maxPerKey, pair }: Place): boolean => {
    const free = maxPerKey - keys.of(key);
    if (free <= 0 || pair === undefined) return free > 0;
    return ownersOfKeys.of(pair) < (ownerShareOfKey ?? 1) * free;
  };

  /** Callers without an owner have no share to respect. */
  const isWithinShare = (held: number, owner: string | undefined, free: number): boolean =>
    free > 0 && (owner === undefined || held < ownerShare * free);

  const hasRoom = (owner: string | undefined): boolean =>
    isWithinShare(owners.of(owner), owner, maxTotal - total);

  const count = ({ key, owner, pair }: Place, change: 1 | -1): void => {
    total += change;
    keys.add(key, change);
    owners.add(owner, change);
    if (pair !== undefined) ownersOfKeys.add(pair, change);
  };

  const take = (place: Place): (() => void) => {
    count(place, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      count(place, -1);
      serve();
    };
  };

  /** Returns the next place to take: of the owners within their share, the one that holds the fewest. */
  const next = (): Place | undefined => {
    let first: Place | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const owner of queue.owners()) {
      const held = owners.of(owner);
      if (held >= fewest || !hasRoom(owner)) continue;
      const place = queue.find(owner, hasKeyRoom);
      if (!place) continue;
      first = place;
      fewest = held;
    }
    return first;
  };

  const serve = (): void => {
    while (total < maxTotal) {
      const place = next();
      if (!place) return;
      const start = queue.shift(place);
      start(take(place));
    }
  };

  const wait = async (place: Place, signal: AbortSignal | undefined): Promise<() => void> => {
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const leave = () => {
      if (queue.remove(place, resolve)) reject(signal?.reason);
    };
    queue.add(place, resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  };

  return {
    get active() {
      return total;
    },
    get queued() {
      return queue.size();
    },
    acquire: async (key, claim = {}) => {
      const { owner, signal, maxPerKey = limits.maxPerKey } = claim;
      signal?.throwIfAborted();
      // Every caller that could run already does, so a newcomer that finds a free place overtakes
      // no one.
      const place = { key, maxPerKey, owner, pair: pairOf(key, owner) };
      if (hasKeyRoom(place) && hasRoom(owner)) return take(place);
      const freeInQueue = maxQueued - queue.size();
      if (!isWithinShare(queue.countOf(owner), owner, freeInQueue)) {
        throw new QueueFullError('the queue is full');
      }
      return wait(place, signal);
    },
  };
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
 * Creates a queue of callers, with one line per owner and place, so that finding the next one does
 * not scan all of them. Each line is first in, first out.
 */
function createWaitingQueue() {
  const byOwner = new Map<string | undefined, Map<string, Line>>();
  const counts = createCounts();
  let size = 0;

  const count = ({ owner }: Place, change: 1 | -1): void => {
    counts.add(owner, change);
    size += change;
  };

  /** Removes a caller; returns false if it was not waiting. */
  const remove = (place: Place, start: Start): boolean => {
    const lines = byOwner.get(place.owner);
    const line = lines?.get(nameOf(place));
    if (!lines || !line?.waiters.delete(start)) return false;
    if (line.waiters.size === 0) lines.delete(nameOf(place));
    if (lines.size === 0) byOwner.delete(place.owner);
    count(place, -1);
    return true;
  };

  return {
    size: () => size,

    /** The number of waiting callers of an owner. */
    countOf: counts.of,

    /** The owners of waiting callers. */
    owners: () => byOwner.keys(),

    /** Returns the first place of an owner that passes the test; the line served least recently first. */
    find: (owner: string | undefined, test: (place: Place) => boolean): Place | undefined => {
      for (const { place } of byOwner.get(owner)?.values() ?? []) {
        if (test(place)) return place;
      }
      return undefined;
    },

    add: (place: Place, start: Start): void => {
      const lines = byOwner.get(place.owner) ?? new Map<string, Line>();
      byOwner.set(place.owner, lines);
      const name = nameOf(place);
      const line = lines.get(name) ?? { place, waiters: new Set() };
      lines.set(name, line);
      line.waiters.add(start);
      count(place, 1);
    },

    remove,

    /** Removes and returns the first caller of a line, which moves behind the owner's other lines. */
    shift: (place: Place): Start => {
      const lines = byOwner.get(place.owner);
      const line = lines?.get(nameOf(place));
      const [start] = line?.waiters ?? [];
      if (!lines || !line || !start) throw new RangeError('No caller waits for this place');
      lines.delete(nameOf(place));
      lines.set(nameOf(place), line);
      remove(place, start);
      return start;
    },
  };
}

function nameOf({ key, maxPerKey }: Place): string {
  return `${maxPerKey} ${key}`;
}

/** Counts by name. A count of zero uses no memory. */
function createCounts() {
  const counts = new Map<string | undefined, number>();
  const of = (name: string | undefined): number => counts.get(name) ?? 0;
  return {
    of,
    add: (name: string | undefined, change: number): void => {
      const count = of(name) + change;
      if (count === 0) counts.delete(name);
      else counts.set(name, count);
    },
  };
}
