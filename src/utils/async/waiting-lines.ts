import { Counts } from '../counts.ts';

/** What a caller waits for: all that decides whether it may go on. */
export interface Place {
  readonly key: string;
  readonly maxPerKey: number;
  readonly owner: string | undefined;
  /** Names the key and the owner, where owners share the places of a key. */
  readonly pair: string | undefined;
}

/** Lets a caller go on; it gets the function that gives its place back. */
export type Start = (release: () => void) => void;

interface Line {
  readonly place: Place;
  readonly waiters: Set<Start>;
}

/**
 * Callers that wait, in one line for each owner and place, so that the next one is found without
 * looking at all of them. Within a line the first to come is the first to go.
 */
export class WaitingLines {
  readonly #byOwner = new Map<string | undefined, Map<string, Line>>();
  readonly #counts = new Counts();
  #size = 0;

  /** How many callers wait. */
  get size(): number {
    return this.#size;
  }

  /** How many callers of an owner wait. */
  of(owner: string | undefined): number {
    return this.#counts.of(owner);
  }

  /** The owners of callers that wait. */
  owners(): Iterable<string | undefined> {
    return this.#byOwner.keys();
  }

  /** The place that a caller of the owner waits for and that passes the test; the longest unserved first. */
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

  /** Removes a caller; returns whether it waited. */
  remove(place: Place, start: Start): boolean {
    const lines = this.#byOwner.get(place.owner);
    const line = lines?.get(nameOf(place));
    if (!lines || !line?.waiters.delete(start)) return false;
    if (line.waiters.size === 0) lines.delete(nameOf(place));
    if (lines.size === 0) this.#byOwner.delete(place.owner);
    this.#count(place, -1);
    return true;
  }

  /** Removes the first caller that waits for a place; the owner's other lines come before the rest of this one. */
  shift(place: Place): Start {
    const lines = this.#byOwner.get(place.owner);
    const line = lines?.get(nameOf(place));
    const [start] = line?.waiters ?? [];
    if (!lines || !line || !start) throw new RangeError('Nobody waits for this place');
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
