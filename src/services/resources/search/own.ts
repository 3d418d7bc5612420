import { fragment, nameOf, raw } from '../../../core/db/fragment.ts';
import { rowsOf } from '../../../core/db/query.ts';
import { foldWords, holdsWords, type Word } from '../../../utils/text/words.ts';
import type { Reading } from '../list/listing.ts';
import { rowsIn, type Section, type Source, sortedBy } from '../list/listing.ts';
import type { Match } from './search.ts';

/** Rows of one read: at most half a megabyte of text. */
const ROWS = 50;

type Texts = { id: number } & Record<string, string | null>;

/**
 * The caller's own rows of a section that contain all words, best first; of the newest ones. Reads
 * the rows one by one, so that neither the time nor the rank depends on rows of other owners.
 */
export async function searchOwn(
  { listing, session, bounds, pace }: Reading,
  section: Section,
  words: readonly Word[],
  fields: readonly string[],
): Promise<Match[]> {
  const holds = holdsWords(words);
  const { from, id } = sortedBy(listing, section, 'id') as Source;
  const columns = raw(fields.map((name) => nameOf(listing.columnOf(name)).text).join());
  const found: Match[] = [];
  let below = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < bounds.most; looked += ROWS) {
    const rows = await rowsOf<Texts>(
      session,
      fragment`select ${id}, ${columns} from ${from} where ${rowsIn(listing, section)} and ${id} < ${below} order by ${id} desc limit ${ROWS}`,
    );
    for (const row of rows) {
      const rank = rankOf(holds, fields, row);
      if (rank !== undefined) found.push({ id: row.id, rank });
    }
    const last = rows.at(-1);
    if (!last || rows.length < ROWS) break;
    below = last.id;
    await pace();
  }
  return found.sort((a, b) => a.rank - b.rank || b.id - a.id);
}

function rankOf(
  holds: (folded: string) => boolean,
  fields: readonly string[],
  row: Texts,
): number | undefined {
  const [title = '', ...others] = fields.map((name) => row[name] ?? '');
  const folded = foldWords(title);
  if (holds(folded)) return 0;
  // Line breaks prevent words from spanning two fields.
  return holds([folded, ...others.map(foldWords)].join('\n')) ? 1 : undefined;
}
