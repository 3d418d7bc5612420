import type { Client } from '../../src/client.ts';
import { dataOf, each, newTimings, type Timings } from './calls.ts';
import type { Place } from './places.ts';
import { count, createProgress } from './progress.ts';
import { summary } from './report.ts';

export interface Limits {
  inFlight: number;
  signal: AbortSignal;
}

type Items = Client['api']['v1']['items'];

/** The longest page of the list. */
const PAGE = 100;
const PAGES_IN_FLIGHT = 4;
/** The first place that is read is read as often as this, the second half as often, and so on. */
const MOST_READS = 1000;
const PLACES_READ = 100;

/** Posts the places and records the title of each new item by id in `posted`. */
export async function postPlaces(
  items: Items,
  places: Place[],
  posted: Map<number, string>,
  limits: Limits,
): Promise<void> {
  await timed('Places posted', places.length, limits, async (index, timings) => {
    const { id, title } = await dataOf(() => items.post(places[index] as Place), timings);
    posted.set(id, title);
  });
}

/** Reads some of the items, some more often than others, so that some are popular. */
export async function readSome(items: Items, ids: number[], limits: Limits): Promise<void> {
  const stride = Math.max(1, Math.floor(ids.length / PLACES_READ));
  const chosen = ids.filter((_, index) => index % stride === 0).slice(0, PLACES_READ);
  const reads = chosen.flatMap((id, rank) =>
    Array<number>(Math.ceil(MOST_READS / (rank + 1))).fill(id),
  );
  await timed('Items read', reads.length, limits, async (index, timings) => {
    await dataOf(() => items({ item_id: reads[index] as number }).get(), timings);
  });
}

export async function showPopular(items: Items): Promise<void> {
  console.log('The most viewed:');
  for (const { title, views, url } of await dataOf(() => items.popular.get())) {
    console.log(`  ${count(views).padStart(6)}  ${title}  ${url}`);
  }
}

/** Counts the posted items that the server lists, by id and title. */
export async function countListed(items: Items, posted: Map<number, string>): Promise<number> {
  const listed = new Set<number>();
  const timings = newTimings();
  const startedAt = performance.now();
  await each(Number.POSITIVE_INFINITY, { inFlight: PAGES_IN_FLIGHT }, async (page) => {
    const query = { skip: page * PAGE, limit: PAGE };
    const list = await dataOf(() => items.get({ query }), timings);
    for (const { id, title } of list) if (posted.get(id) === title) listed.add(id);
    return list.length === PAGE;
  });
  console.log(summary('Pages listed', timings, (performance.now() - startedAt) / 1000));
  return listed.size;
}

/** Does `total` things, shows how far it is and says at the end, good or bad, how fast it was. */
async function timed(
  label: string,
  total: number,
  limits: Limits,
  work: (index: number, timings: Timings) => Promise<void>,
): Promise<void> {
  const timings = newTimings();
  const progress = createProgress(label, total);
  try {
    await each(total, limits, async (index) => {
      await work(index, timings);
      progress.step();
      return true;
    });
  } finally {
    console.log(summary(label, timings, progress.end()));
  }
}
