import type { Item } from '../../../services/items/rows.ts';
import type { RowMessage } from '../../../services/resources/events/listeners.ts';
import type { ChangeEvent } from '../../../services/resources/events/reader.ts';
import { shownItem } from './document.ts';

/** The frames of an event, with and without its item. All listeners share the event object. */
const framesOf = new WeakMap<object, Map<boolean, Uint8Array>>();
const encoder = new TextEncoder();
const RETRY_MS = 3000;
const RESET = { reason: 'Events after this id are no longer known: reload your items.' };

/** The server-sent event of a message, encoded once for all listeners. */
export function frameOf(message: RowMessage<Item>, position: number): Uint8Array {
  if (message.type === 'reset') return frame({ id: position, event: 'reset', data: RESET });
  const includesRow = message.type === 'popular' || message.includesRow;
  const frames = framesOf.get(message.event) ?? new Map<boolean, Uint8Array>();
  framesOf.set(message.event, frames);
  const cached = frames.get(includesRow);
  if (cached) return cached;
  const encoded =
    message.type === 'popular'
      ? frame({ event: 'popular', data: message.event })
      : changeFrame(message.event, includesRow);
  frames.set(includesRow, encoded);
  return encoded;
}

/** The start of a stream: the current position, so that a client can resume before the first event. */
export function openingFrame(position: number): Uint8Array {
  return encoder.encode(`retry: ${RETRY_MS}\nid: ${position}\n\n`);
}

/** A comment that prevents the connection from timing out. */
export const HEARTBEAT: Uint8Array = encoder.encode(':\n\n');

function changeFrame({ event, row }: ChangeEvent<Item>, includesRow: boolean): Uint8Array {
  const { id, type, row_id: item_id, version, at } = event;
  const shown = includesRow && row ? shownItem(row) : null;
  return frame({ id, event: type, data: { item: shown, item_id, version, at } });
}

function frame({ id, event, data }: { id?: number; event: string; data: object }): Uint8Array {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  // JSON contains no line breaks, so it is a single data line.
  return encoder.encode(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
