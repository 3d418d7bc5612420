import { and, sql } from 'drizzle-orm';
import type { Session } from '../../../core/db/db.ts';
import { rowsOf } from '../../../core/db/query.ts';
import type { Pace } from '../../../core/fair-turns.ts';
import { items, itemViews } from '../../../models/items.ts';
import type { Position } from '../../../utils/page.ts';
import type { SortField, SortKey } from './query.ts';
import { comparePositions, isAfter } from './ranges.ts';
import { expressions, type Picks } from './streams.ts';

export interface PickReader {
  session: Session;
  order: readonly SortKey[];
  pace: Pace;
}

/** Items of one statement: 1 to 2 ms, more if filters parse large data. */
const CHUNK = 250;

/** The first `limit` positions of picks after `from`, in the order of the list. */
export async function firstOfPicks(
  reader: PickReader,
  picks: Picks,
  from: Position | undefined,
  limit: number,
): Promise<Position[]> {
  const first = createFirst(reader.order, limit);
  for await (const positions of positionsOfPicks(reader, picks)) {
    for (const position of positions) {
      if (!from || isAfter(reader.order, position, from)) first.add(position);
    }
  }
  return first.positions;
}

/** The positions of the picks that match the conditions, in batches. */
export async function* positionsOfPicks(
  { session, order, pace }: PickReader,
  { ids, ranks, where }: Picks,
): AsyncGenerator<Position[]> {
  const at = expressions({});
  const fields = order.map(({ field }) => field).filter((field) => field !== 'relevance');
  const columns = fields.map((field) => sql`${at(field)} as ${sql.raw(`"${field}"`)}`);
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = JSON.stringify(ids.slice(start, start + CHUNK));
    const rows = await rowsOf<Row>(
      session,
      sql`select ${sql.join(columns, sql`, `)} from json_each(${chunk}) as picked cross join ${items} on ${items.id} = picked.value cross join ${itemViews} on ${itemViews.item_id} = ${items.id} where ${and(...where)}`,
    );
    yield rows.map((row) => positionIn(order, row, ranks));
    await pace();
  }
}

type Row = Partial<Record<SortField, string | number>> & { id: number };

function positionIn(
  order: readonly SortKey[],
  row: Row,
  ranks: ReadonlyMap<number, number> | undefined,
): Position {
  return order.map(({ field }) =>
    field === 'relevance' ? (ranks?.get(row.id) ?? 0) : (row[field] as string | number),
  );
}

/** Collects the first `limit` of the positions added to it, in order. */
export function createFirst(order: readonly SortKey[], limit: number) {
  const positions: Position[] = [];
  return {
    positions,
    add: (position: Position): void => {
      const last = positions[limit - 1];
      if (last && comparePositions(order, position, last) >= 0) return;
      let [low, high] = [0, positions.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        const other = positions[middle] as Position;
        if (comparePositions(order, other, position) < 0) low = middle + 1;
        else high = middle;
      }
      positions.splice(low, 0, position);
      if (positions.length > limit) positions.pop();
    },
  };
}
