import type { Deps } from '../../core/deps.ts';
import type { ItemDocument } from '../../schemas/items-v2.ts';
import type { Answer } from '../idempotency.ts';

type Stored = Awaited<ReturnType<Deps['items']['get']>>;
type Document = typeof ItemDocument.static;

/** An item as v2 shows it: what is kept as JSON, as what it is. */
export function shownItem({ tags, data, ...rest }: Stored): Document {
  return { ...rest, tags: JSON.parse(tags), data: JSON.parse(data) };
}

export function createdItem(item: Stored): Answer<Document> {
  return { status: 201, location: `/api/v2/items/${item.id}`, body: shownItem(item) };
}

export function restoredItem(item: Stored): Answer<Document> {
  return { status: 200, body: shownItem(item) };
}
