import { LRUCache } from 'lru-cache';
import { dayOf } from '../utils/time/units.ts';
import type { AnyActor } from './actor.ts';
import { networkOf } from './client-address.ts';

export type Viewer = Pick<AnyActor, 'id' | 'origin'>;

/** Who has looked at what lately, so that a reload is no second view. Kept in this process. */
export interface Viewers {
  /** Whether `viewer` has not looked at the item in the time of a view; from now on he has. */
  isNew(itemId: number, viewer: Viewer): boolean;
}

export interface ViewersOptions {
  /** The time of a view; 0 makes every look a new one. */
  windowMs: number;
  now(): Date;
}

/** Views that are remembered. Beyond it the oldest are forgotten, and may count again early. */
const MAX_VIEWS = 100_000;

export function createViewers({ windowMs, now }: ViewersOptions): Viewers {
  if (windowMs === 0) return { isNew: () => true };
  const keyOf = createKey(now);
  /** When each view was counted, in milliseconds. */
  let seen: LRUCache<string, number> | undefined;
  return {
    isNew: (itemId, viewer) => {
      // Made at its first use: it takes the room for all at once.
      seen ??= new LRUCache({ max: MAX_VIEWS });
      const key = keyOf(itemId, viewer);
      const atMs = now().getTime();
      const ageMs = atMs - (seen.get(key) ?? Number.NEGATIVE_INFINITY);
      // Negative when the clock was put back.
      if (ageMs >= 0 && ageMs < windowMs) return false;
      seen.set(key, atMs);
      return true;
    },
  };
}

/**
 * No address is kept: a viewer without an account is a hash of it and of the agent, with a salt
 * that is in memory alone and lives for one UTC day.
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
