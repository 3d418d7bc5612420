import type { Told } from '../../../services/items/events.ts';
import type { ItemNews } from '../../../services/items/news.ts';
import { shownItem } from './document.ts';

/** What was made of news already: with its item and without. Its object is every listener's. */
const made = new WeakMap<object, Map<boolean, Uint8Array>>();
const encoder = new TextEncoder();
const RETRY_MS = 3000;
const RESET = { reason: 'Nothing is known of that id any more: read again what you hold.' };

/** The frame of server-sent events for what is told, made once for all who are told it. */
export function frameOf(told: Told, position: number): Uint8Array {
  if (told.type === 'reset') return frame({ id: position, event: 'reset', data: RESET });
  const isShown = told.type === 'popular' || told.isShown;
  const frames = made.get(told.news) ?? new Map<boolean, Uint8Array>();
  made.set(told.news, frames);
  const known = frames.get(isShown);
  if (known) return known;
  const fresh = told.type === 'popular' ? popular(told.news) : change(told.news, isShown);
  frames.set(isShown, fresh);
  return fresh;
}

/** What a stream begins with: where the reader is, so that it can resume though nothing comes. */
export function openingFrame(position: number): Uint8Array {
  return encoder.encode(`retry: ${RETRY_MS}\nid: ${position}\n\n`);
}

/** A comment that keeps the connection open. */
export const HEARTBEAT: Uint8Array = encoder.encode(':\n\n');

function popular(data: object): Uint8Array {
  return frame({ event: 'popular', data });
}

function change({ event, item }: ItemNews, isShown: boolean): Uint8Array {
  const { id, type, item_id, version, at } = event;
  const shown = isShown && item ? shownItem(item) : null;
  return frame({ id, event: type, data: { item: shown, item_id, version, at } });
}

function frame({ id, event, data }: { id?: number; event: string; data: object }): Uint8Array {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  // JSON has no line break of its own, so it is one line.
  return encoder.encode(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
