import type { ListedRow, Selection } from './document.ts';
import type { Context, Served } from './route.ts';

/** Returns the JSON of the rows that a row references and the query expands. */
export async function expandedOf(
  { expand }: Served,
  actor: Context['actor'],
  row: ListedRow,
  { relations }: Selection,
): Promise<Record<string, string>> {
  const expanded: Record<string, string> = {};
  for (const { name, field, to } of relations) {
    expanded[name] = await expand(to.name, actor, (row[field.name] ?? null) as number | null);
  }
  return expanded;
}
