import { LRUCache } from 'lru-cache';
import { dayOf } from '../utils/time/units.ts';
import type { AnyActor } from './actor.ts';
import { networkOf } from './client-address.ts';

export type Viewer = Pick<AnyActor, 'id' | 'origin'>;

/** Recent viewers of items, so that a reload is not a second view. In memory only. */
export interface Viewers {
  /** Returns true if `viewer` has not viewed the item within the window, and records the view. */
  isNew(itemId: number, viewer: Viewer): boolean;
}

export interface ViewersOptions {
  /** The length of a view; with 0 every call is a new view. */
  windowMs: number;
  now(): Date;
}

/** The number of remembered views; older ones are dropped and may count again early. */
const MAX_VIEWS = 100_000;

export function createViewers({ windowMs, now }: ViewersOptions): Viewers {
  if (windowMs === 0) return { isNew: () => true };
  const keyOf = createKey(now);
  /** The time of each counted view, in milliseconds. */
  let seen: LRUCache<string, number> | undefined;
  return {
    isNew: (itemId, viewer) => {
      // Created on first use: it allocates space for all entries.
      seen ??= new LRUCache({ max: MAX_VIEWS });
      const key = keyOf(itemId, viewer);
      const atMs = now().getTime();
      const ageMs = atMs - (seen.get(key) ?? Number.NEGATIVE_INFINITY);
      // Negative if the clock was set back.
      if (ageMs >= 0 && ageMs < windowMs) return false;
      seen.set(key, atMs);
      return true;
    },
  };
}

/**
 * Creates a function that returns the key of a viewer. No address is stored: an anonymous viewer is
 * a hash of network and user agent, with a salt that exists only in memory and for one UTC day.
 */
function createKey(now: () => Date) {
  let salt = { day: -1, bytes: new Uint8Array() };
  return (itemId: number, { id, origin }: Viewer): string => {
    if (id !== null) return `${itemId} ${id}`;
    const { address, user_agent } = origin;
    const day = dayOf(now());
    if (salt.day !== day) salt = { day, bytes: crypto.getRandomValues(new Uint8Array(32)) };
    const network = address === null ? '' : networkOf(address);
    const text = `${itemId}\n${network}\n${user_agent ?? ''}`;
    return new Bun.CryptoHasher('sha256', salt.bytes).update(text).digest('base64url');
  };
}
