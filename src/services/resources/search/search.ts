import type { Session } from '../../../core/db/db.ts';
import { type Fragment, fragment } from '../../../core/db/fragment.ts';
import { matchAll, matching } from '../../../core/db/full-text.ts';
import { rowsOf } from '../../../core/db/query.ts';
import { inTitle, type Plan, planOf, type SearchOptions } from './plan.ts';

/** A matching row. The rank is 0 if its title contains all words, else 1. */
export interface Match {
  id: number;
  rank: number;
}

/** Some matches, in order. All matches up to `upTo` have been found; undefined at the end. */
export interface Matches {
  found: Match[];
  upTo: Match | undefined;
}

/** A window with more matches is followed by a smaller one. */
const MAX_IDS = 500;
/** The range of ids of the first window. */
const FIRST_WIDTH = 2_048;
const MAX_WIDTH = 16_384;

/**
 * Searches the listed rows; the index contains no others, so it cannot reveal any. Each statement
 * reads a bounded number of entries, and the rank depends only on the row.
 */
export const createSearch = (options: SearchOptions) => ({
  /** All matches below an id, newest first, with rank 0. */
  newest: async function* (below = Number.MAX_SAFE_INTEGER): AsyncGenerator<Matches> {
    const plan = await planOf(options);
    for await (const { ids, down } of matchesBelow(options, plan, below, 0)) {
      yield { found: foundAt(0, ids), upTo: down > 0 ? { id: down, rank: 0 } : undefined };
    }
  },

  /** All matches after another one, by rank, newest first within a rank. */
  ranked: async function* (after: Match = FIRST): AsyncGenerator<Matches> {
    const plan = await planOf(options);
    const titles = inTitle(options, plan);
    const floor = await floorOf(options, plan);
    if (after.rank === 0) {
      for await (const { ids, down } of matchesBelow(options, titles, after.id, floor)) {
        yield { found: foundAt(0, ids), upTo: { id: down, rank: 0 } };
      }
    }
    const below = after.rank === 0 ? FIRST.id : after.id;
    for await (const { ids, down } of matchesBelow(options, plan, below, 0)) {
      const named = await namedAmong(
        options,
        titles,
        ids.filter((id) => id >= floor),
      );
      const others = ids.filter((id) => !named.has(id));
      yield { found: foundAt(1, others), upTo: down > 0 ? { id: down, rank: 1 } : undefined };
    }
  },
});

const FIRST: Match = { id: Number.MAX_SAFE_INTEGER, rank: 0 };

function foundAt(rank: number, ids: number[]): Match[] {
  return ids.map((id) => ({ id, rank }));
}

/** The id of the oldest match whose title is searched. */
async function floorOf(options: SearchOptions, plan: Plan): Promise<number> {
  const { index, session, bounds, pace } = options;
  if (plan.isRare) return 0;
  const [row] = await rowsOf<{ id: number }>(
    session,
    fragment`select rowid as id ${matching(index, leadOf(plan))} order by rowid desc limit 1 offset ${bounds.most - 1}`,
  );
  await pace();
  return row?.id ?? 0;
}

interface MatchWindow {
  ids: number[];
  /** All matches down to this id have been found. */
  down: number;
}

/** The matches with ids from `floor` to below `below`, newest first. */
async function* matchesBelow(
  options: SearchOptions,
  plan: Plan,
  below: number,
  floor: number,
): AsyncGenerator<MatchWindow> {
  if (plan.isRare) {
    yield { ids: await allBelow(options, plan, below), down: 0 };
    return;
  }
  let width = FIRST_WIDTH;
  for (let top = await nextBelow(options, plan, below); top !== undefined && top >= floor; ) {
    const down = Math.max(floor, top - width + 1);
    const ids = await narrowedTo(options, plan, down, top);
    yield { ids, down };
    await options.pace();
    if (ids.length > MAX_IDS) width = Math.max(64, width >> 1);
    else if (ids.length < MAX_IDS / 4) width = Math.min(MAX_WIDTH, width << 1);
    top = await nextBelow(options, plan, down);
  }
  yield { ids: [], down: floor };
}

/** Finds all matches in one statement, which skips from entry to entry of the rarest word. */
async function allBelow({ index, session, pace }: SearchOptions, plan: Plan, below: number) {
  const all = matchAll(plan.expressions);
  const ids = await idsOf(
    session,
    fragment`select rowid as id ${matching(index, all)} and rowid < ${below} order by rowid desc`,
  );
  await pace();
  return ids;
}

async function nextBelow({ index, session }: SearchOptions, plan: Plan, below: number) {
  const [row] = await rowsOf<{ id: number }>(
    session,
    fragment`select rowid as id ${matching(index, leadOf(plan))} and rowid < ${below} order by rowid desc limit 1`,
  );
  return row?.id;
}

/** The expression with the fewest matches. */
function leadOf({ expressions }: Plan): string {
  return expressions[0] as string;
}

/** The ids that match a plan, among descending ids. */
async function namedAmong(options: SearchOptions, plan: Plan, ids: number[]): Promise<Set<number>> {
  const [top, down] = [ids[0], ids.at(-1)];
  if (top === undefined || down === undefined) return new Set();
  const found = plan.isRare
    ? await allBelow(options, plan, top + 1)
    : await narrowedTo(options, plan, down, top);
  return new Set(found);
}

/**
 * The matches from one id to another, newest first. It reads word by word: a conjunction would
 * search the whole index for its first match.
 */
async function narrowedTo(
  { index, session, pace }: SearchOptions,
  { expressions }: Plan,
  down: number,
  top: number,
): Promise<number[]> {
  let ids: number[] | undefined;
  let [low, high] = [down, top];
  for (const expression of expressions) {
    const range = fragment`select rowid as id ${matching(index, expression)} and rowid between ${low} and ${high} order by rowid desc`;
    const found = await idsOf(session, range);
    const known = ids && new Set(ids);
    ids = known ? found.filter((id) => known.has(id)) : found;
    if (ids.length === 0) break;
    [low, high] = [ids.at(-1) as number, ids[0] as number];
    await pace();
  }
  return ids ?? [];
}

/** Reads ids as one JSON text, which costs half as much as a row for each. */
async function idsOf(session: Session, query: Fragment): Promise<number[]> {
  const listing = fragment`select json_group_array(id) as ids from (${query})`;
  const [row] = await rowsOf<{ ids: string }>(session, listing);
  return JSON.parse(row?.ids ?? '[]') as number[];
}
