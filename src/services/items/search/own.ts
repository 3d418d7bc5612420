import { eq, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import { items } from '../../../models/items.ts';
import { foldWords, holdsWords, type Word } from '../../../utils/text/words.ts';
import type { Match } from './search.ts';

/** Rows of one read: at most half a megabyte of text. */
const ROWS = 50;

export interface OwnSearchOptions {
  session: Session;
  words: readonly Word[];
  pace: Pace;
  /** The number of newest rows that are searched. */
  most: number;
}

type Text = Pick<typeof items.$inferSelect, 'id' | 'title' | 'description' | 'tags'>;

/**
 * The caller's private or binned items that contain all words, best first. Reads the items one by
 * one, so that neither the time nor the rank depends on items of other owners.
 */
export async function searchOwn(
  { session, words, pace, most }: OwnSearchOptions,
  owner_id: number,
  where: 'private' | 'bin',
): Promise<Match[]> {
  const holds = holdsWords(words);
  const found: Match[] = [];
  let below = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < most; looked += ROWS) {
    const rows = await rowsOf<Text>(session, ownRows(owner_id, where, below));
    for (const row of rows) {
      const rank = rankOf(holds, row);
      if (rank !== undefined) found.push({ id: row.id, rank });
    }
    const last = rows.at(-1);
    if (!last || rows.length < ROWS) break;
    below = last.id;
    await pace();
  }
  return found.sort((a, b) => a.rank - b.rank || b.id - a.id);
}

function ownRows(owner_id: number, where: 'private' | 'bin', below: number): SQL {
  const { index, condition } = SOURCES[where];
  return sql`select id, title, description, tags from items indexed by ${index} where ${eq(items.owner_id, owner_id)} and ${condition} and id < ${below} order by id desc limit ${ROWS}`;
}

const SOURCES = {
  private: {
    index: sql.raw('items_private_id'),
    condition: sql`${items.visibility} = 'private' and ${items.deleted_at} is null`,
  },
  bin: { index: sql.raw('items_binned'), condition: sql`${items.deleted_at} is not null` },
};

function rankOf(
  holds: (folded: string) => boolean,
  { title, description, tags }: Text,
): number | undefined {
  const folded = foldWords(title);
  if (holds(folded)) return 0;
  // Line breaks prevent words from spanning two fields.
  return holds(`${folded}\n${foldWords(description)}\n${foldWords(tags)}`) ? 1 : undefined;
}
