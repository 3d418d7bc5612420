import { t } from 'elysia';
import { Text } from '../kinds.ts';
import type { ItemDocument } from './items-v2.ts';

export const ItemEventsQuery = t.Object({
  last_event_id: t.Optional(
    Text({
      maxLength: 100,
      description: 'As the header Last-Event-ID, for who cannot set it; the header goes first.',
      examples: ['17'],
    }),
  ),
});

/** What happened to an item, with the item as it is now: null when it is gone from the reader. */
export type ItemChange = {
  item: typeof ItemDocument.static | null;
  item_id: number;
  version: number;
  at: string;
};

/** A block of the stream as the typed client reads it. Heartbeats have an id or nothing. */
export type ItemStreamEvent =
  | { event: 'created' | 'updated' | 'deleted'; id: number; data: ItemChange }
  | { event: 'popular'; data: { item_ids: number[] } }
  | { event: 'reset'; id: number; data: { reason: string } }
  | { event?: undefined; id?: number; retry?: number };

const text = t.String({
  description: [
    'Blocks of server-sent events: `created`, `updated` and `deleted` with an id and',
    '`{"item", "item_id", "version", "at"}`, where `item` is as it is now, or null when the caller',
    'no longer sees it; `popular` with `{"item_ids"}`, the ten most viewed; `reset` when nothing',
    'is known of the id that the caller was at: what it holds of items may be old.',
  ].join(' '),
});

/** Server-sent events: text, typed as what the client makes of it. */
export const ItemEventStream = t.Unsafe<AsyncGenerator<ItemStreamEvent, void, unknown>>({
  ...text,
});
