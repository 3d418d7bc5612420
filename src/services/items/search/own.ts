import { eq, type SQL, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import { items } from '../../../models/index.ts';
import { foldWords, holdsWords, type Word } from '../../../utils/text/words.ts';
import type { Found } from './search.ts';

/** Rows read at once: of the largest there are, half a megabyte of text. */
const ROWS = 50;

export interface OwnSearchOptions {
  session: Session;
  words: readonly Word[];
  pace: Pace;
  /** The newest rows that are looked at. */
  most: number;
}

type Text = Pick<typeof items.$inferSelect, 'id' | 'title' | 'description' | 'tags'>;

/**
 * The caller's own items that nobody else sees, private or in the bin, that hold all words: best
 * first. They are read one by one, so that neither time nor rank depends on anybody else's.
 */
export async function searchOwn(
  { session, words, pace, most }: OwnSearchOptions,
  owner_id: number,
  where: 'private' | 'bin',
): Promise<Found[]> {
  const holds = holdsWords(words);
  const found: Found[] = [];
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
  // A word is not made of the end of one field and the start of the next.
  return holds(`${folded}\n${foldWords(description)}\n${foldWords(tags)}`) ? 1 : undefined;
}
