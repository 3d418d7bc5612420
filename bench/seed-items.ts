import type { Database } from 'bun:sqlite';
import { createRandom } from './load/requests.ts';

const CREATED_AT_MS = Date.parse('2020-01-01T00:00:00.000Z');
const OWNERS = 1_000;
const WORDS =
  'wood straw warm roof small large cheap green rabbit garden winter summer paint door window wire floor shelf light quiet'.split(
    ' ',
  );
/** A view of the last hours, days and weeks has an item in so many. */
const VIEWED_ONE_IN = 10;
const HOUR_MS = 3_600_000;

/**
 * Puts in the items `from` to `to`, whatever they are the same in every run: some words that many
 * share, views that few have many of, half with a URL, one in ten with a tag.
 */
export function insertItems(client: Database, from: number, to: number): void {
  const item = client.prepare(
    `INSERT INTO items (id, owner_id, title, description, url, tags, created_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)`,
  );
  const views = client.prepare(
    'UPDATE item_views SET views = ?2, day = ?3, week = ?4, month = ?5 WHERE item_id = ?1',
  );
  const hour = client.prepare('INSERT INTO item_hours VALUES (?, ?, ?)');
  const now = Math.floor(Date.now() / HOUR_MS);
  for (let id = from; id <= to; id++) {
    const random = createRandom(id);
    const word = () => WORDS[Math.floor(random() * WORDS.length)] ?? '';
    const url = id % 2 === 0 ? `https://example.com/items/${id}` : null;
    const description = `What there is to say about item ${id}: ${word()} ${word()}. `;
    const title = `Item number ${id}, ${word()} ${word()}`;
    const tags = id % 10 === 0 ? JSON.stringify([word()]) : '[]';
    const at = new Date(CREATED_AT_MS + id * 10_000).toISOString();
    item.run(id, 1 + (id % OWNERS), title, description.repeat(1 + (id % 3)), url, tags, at);
    const all = Math.floor(1000 * random() ** 4);
    const recent = id % VIEWED_ONE_IN === 0 ? 1 + (all >> 5) : 0;
    views.run(id, all + recent, recent, recent, recent);
    if (recent > 0) hour.run(now, id, recent);
  }
}

/** Indexes the words of all items: a server would do so in the background, and slow down a run. */
export function indexItems(client: Database): void {
  client.run(
    `INSERT INTO items_fts (rowid, title, description, tags)
     SELECT items.id, title, description, tags FROM items_fts_pending AS pending
     JOIN items ON items.id = pending.id WHERE visibility = 'public' AND deleted_at IS NULL`,
  );
  client.run('DELETE FROM items_fts_pending');
}
