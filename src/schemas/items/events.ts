import { t } from 'elysia';
import { Text } from '../kinds.ts';
import type { ItemDocument } from './items-v2.ts';

export const ItemEventsQuery = t.Object({
  last_event_id: t.Optional(
    Text({
      maxLength: 100,
      description:
        'Like the header Last-Event-ID, for clients that cannot set it; the header takes precedence.',
      examples: ['17'],
    }),
  ),
});

/** A change of an item and its current state: null if the caller cannot see it any more. */
export type ItemChange = {
  item: typeof ItemDocument.static | null;
  item_id: number;
  version: number;
  at: string;
};

/** An event as the typed client returns it. The opening and heartbeats have no event name. */
export type ItemStreamEvent =
  | { event: 'created' | 'updated' | 'deleted'; id: number; data: ItemChange }
  | { event: 'popular'; data: { item_ids: number[] } }
  | { event: 'reset'; id: number; data: { reason: string } }
  | { event?: undefined; id?: number; retry?: number };

const text = t.String({
  description: [
    'Server-sent events: `created`, `updated` and `deleted` with an id and',
    '`{"item", "item_id", "version", "at"}`, where `item` is the current state, or null if the',
    'caller cannot see it any more; `popular` with `{"item_ids"}`, the ten most viewed; `reset` if',
    'events after the given id are no longer known: items stored by the client may be outdated.',
  ].join(' '),
});

/** Server-sent events: text, typed as the events that the client returns. */
export const ItemEventStream = t.Unsafe<AsyncGenerator<ItemStreamEvent, void, unknown>>({
  ...text,
});
