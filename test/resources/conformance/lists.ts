import { expect, test } from 'bun:test';
import type { Definition, Resource } from '../../../src/resources/declare/definition.ts';
import { mayRead } from './expected.ts';
import { type Document, idsOf, type SortKey } from './model.ts';
import { type Condition, conditionOf, pick, type Random, whereOf } from './samples.ts';
import { openWorld, type World } from './world.ts';

const ROWS = 40;
const QUERIES = 150;
/** The seed of the rows and queries; a failure shows the query. */
const SEED = 20_261_127;

/** Tests lists against a model that filters and sorts all rows in memory. */
export function testLists(resource: Resource): void {
  const { definition } = resource;

  test('lists with random filters and sorts equal the naive model', async () => {
    await using world = await openWorld(resource, SEED);
    const rows = await manyRows(world);
    const callers = world.identities.filter(({ scopes }) => scopes === undefined);
    let found = 0;
    for (let query = 0; query < QUERIES; query++) {
      const who = pick(world.random, callers);
      const { conditions, sort, limit } = queryOf(world.random, definition, rows);
      const search = searchOf(conditions, sort, limit);
      const first = await world.send('GET', `?${search}`, who);
      if (first.status === 401 || first.status === 403) continue;
      const shown = rows.filter((row) => mayRead(definition, who.actor, row));
      const expected = idsOf(definition, shown, conditions, sort);
      const context = decodeURIComponent(`${who.name}: ${search}`);
      expect([context, await idsOfPages(world, who, search)]).toEqual([context, expected]);
      found += expected.length;
    }
    expect(found).toBeGreaterThan(QUERIES);
  });

  test('a list refuses fields, operators and sorts that the declaration does not have', async () => {
    await using world = await openWorld(resource);
    const wrong = ['where=unknown+eq+1', 'filter[unknown][eq]=1', 'sort=unknown', 'cursor=x'];
    for (const query of wrong) {
      const { status } = await world.send('GET', `?${query}`, world.creator);
      expect([query, status]).toEqual([query, 400]);
    }
  });

  const [word] = definition.search;
  test.if(word !== undefined)(
    'a search finds the rows with a word as soon as they exist',
    async () => {
      await using world = await openWorld(resource);
      const field = definition.fields.find(({ name }) => name === word);
      const value = field?.kind === 'texts' ? ['carrotcake'] : 'carrotcake';
      const row = await world.create({ [word as string]: value });
      await world.create();
      const find = async () => {
        const { body } = await world.send('GET', '?q=carrot', world.creator);
        return (body['data'] as Document[]).map(({ id }) => id);
      };
      expect(await find()).toEqual([row.id]);
      await world.send('DELETE', `/${row.id}`, world.creator);
      expect(await find()).toEqual([]);
    },
  );
}

/** Rows of two owners where several may create them, some of them in the bin. */
async function manyRows(world: World): Promise<Document[]> {
  const rows: Document[] = [];
  const other = world.identities[2] as (typeof world.identities)[number];
  const isShared =
    world.creator.actor.role === 'user' && typeof world.definition.write === 'string';
  for (let count = 0; count < ROWS; count++) {
    const who = isShared && world.random() < 0.4 ? other : world.creator;
    const row = await world.create({}, who);
    if (world.random() < 0.1) await world.send('DELETE', `/${row.id}`, who);
    else rows.push(row);
  }
  return rows;
}

function queryOf(random: Random, definition: Definition, rows: readonly Document[]) {
  const hasFilters = Object.keys(definition.filters).length > 0;
  const count = hasFilters ? Math.floor(random() * 3) : 0;
  const conditions = Array.from({ length: count }, () => conditionOf(random, definition, rows));
  const fields = ['id', ...definition.sorts].toSorted(() => random() - 0.5);
  const sort: SortKey[] = fields
    .slice(0, 1 + Math.floor(random() * 2))
    .map((field) => ({ field, isDescending: random() < 0.5 }));
  return { conditions, sort, limit: 1 + Math.floor(random() * 15) };
}

function searchOf(
  conditions: readonly Condition[],
  sort: readonly SortKey[],
  limit: number,
): URLSearchParams {
  const search = new URLSearchParams({ limit: `${limit}` });
  for (const condition of conditions) search.append('where', whereOf(condition));
  search.set('sort', sort.map((it) => `${it.isDescending ? '-' : ''}${it.field}`).join());
  return search;
}

async function idsOfPages(
  { send }: World,
  who: World['creator'],
  search: URLSearchParams,
): Promise<number[]> {
  const ids: number[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await send('GET', `?${search}${cursor}`, who);
    expect([status, body['errors']]).toEqual([200, undefined]);
    ids.push(...(body['data'] as Document[]).map(({ id }) => id));
    const { next_cursor } = body['page'] as { next_cursor: string | null };
    if (next_cursor === null) return ids;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}
