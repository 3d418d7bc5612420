import type { Server } from './load/process.ts';
import { tokenOf } from './seed.ts';

/** A request that is sent to servers of every size. */
export interface Question {
  name: string;
  /** The maximum ratio of the times at the largest and smallest size; without it, the text explains the ratio. */
  most?: number;
  /** Sends the `turn`th request of it to a server that holds `size` items. */
  ask(server: Server, size: number, turn: number): Promise<Response>;
}

const PAGE = 100;
/** Or the last page, where there are fewer. */
const DEEP_PAGE = 10_000;

const get = (server: Server, path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/api/v2/items${path}`, { headers });
const post = (server: Server, path: string, body: object, turn: number) =>
  fetch(`${server.url}/api/v2/items${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokenOf(1 + (turn % 1000))}`,
      'content-type': 'application/json',
      'user-agent': `bench ${turn}`,
    },
    body: JSON.stringify(body),
  });
/** Ids spread over all there are, the same in every run. */
const idOf = (size: number, turn: number) => 1 + ((turn * 2_654_435_761) % size);

const popular = (window: string): Question => ({
  name: `popular, ${window}, recomputed`,
  most: 1.5,
  // Each limit is a separate cache key, so no response comes from the cache.
  ask: (server, _, turn) => get(server, `/popular?window=${window}&limit=${1 + (turn % 100)}`),
});

export const QUESTIONS: Question[] = [
  {
    name: 'item by id',
    most: 1.5,
    ask: (server, size, turn) => get(server, `/${idOf(size, turn)}`),
  },
  {
    name: 'item by id, 304',
    most: 1.5,
    ask: (server, size, turn) => get(server, `/${idOf(size, turn)}`, { 'if-none-match': '"v1"' }),
  },
  { name: 'page 1', most: 1.5, ask: (server) => get(server, `?sort=-created_at&limit=${PAGE}`) },
  { name: `page ${DEEP_PAGE.toLocaleString('en')} by cursor`, most: 1.5, ask: deepPage },
  {
    name: 'filter by owner, sorted by time',
    ask: (server, _, turn) =>
      get(server, `?filter[owner_id][eq]=${1 + (turn % 1000)}&sort=-id&limit=50`),
  },
  {
    name: 'filter by tag, sorted by id',
    ask: (server) => get(server, '?filter[tags][eq]=wood&sort=-id&limit=50'),
  },
  {
    name: 'sorted by views',
    most: 1.5,
    ask: (server) => get(server, '?sort=-views&limit=50'),
  },
  {
    name: 'search, one item has the word',
    ask: (server, size, turn) => get(server, `?q=${idOf(size, turn)}&limit=50`),
  },
  {
    name: 'search, many have both words',
    ask: (server) => get(server, '?q=wood%20rabbit&limit=50'),
  },
  popular('day'),
  popular('week'),
  popular('month'),
  popular('all'),
  {
    name: 'a view',
    most: 1.5,
    ask: (server, size, turn) => post(server, `/${idOf(size, turn)}/views`, {}, turn),
  },
  {
    name: 'create',
    ask: (server, _, turn) => post(server, '', { title: `New ${turn}`, tags: ['wood'] }, turn),
  },
];

const cursors = new Map<string, Promise<string>>();

async function deepPage(server: Server): Promise<Response> {
  const known = cursors.get(server.url) ?? walk(server);
  cursors.set(server.url, known);
  return get(server, `?sort=-created_at&limit=${PAGE}&cursor=${await known}`);
}

/** The cursor of the deepest page that is requested. */
async function walk(server: Server): Promise<string> {
  let cursor = '';
  for (let page = 1; page < DEEP_PAGE; page++) {
    const answer = await get(
      server,
      `?sort=-created_at&limit=${PAGE}&fields=id${cursor && `&cursor=${cursor}`}`,
    );
    const { page: next } = (await answer.json()) as { page: { next_cursor: string | null } };
    if (next.next_cursor === null) break;
    cursor = next.next_cursor;
  }
  return cursor;
}
