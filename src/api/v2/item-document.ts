import type { Deps } from '../../core/deps.ts';
import type { ItemDocument } from '../../schemas/items-v2.ts';

type Stored = Awaited<ReturnType<Deps['items']['get']>>;

/** An item as v2 shows it: what is kept as JSON, as what it is. */
export function shownItem({ tags, data, ...rest }: Stored): typeof ItemDocument.static {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}
