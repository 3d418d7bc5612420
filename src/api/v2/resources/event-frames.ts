import type { RowMessage } from '../../../services/resources/events/listeners.ts';
import type { ChangeEvent } from '../../../services/resources/events/reader.ts';
import type { ListedRow, RowWriter } from './document.ts';

const encoder = new TextEncoder();
const RETRY_MS = 3000;

export type EventFrames = ReturnType<typeof createEventFrames>;

interface FrameOptions {
  /** The singular name of the resource, which names the row in an event. */
  one: string;
  /** The plural name in texts. */
  many: string;
  writer: RowWriter;
}

/** Encodes the events of a resource, each once for all listeners, which share the event object. */
export function createEventFrames({ one, many, writer }: FrameOptions) {
  /** The frames of an event, with and without its row. */
  const framesOf = new WeakMap<object, Map<boolean, Uint8Array>>();
  const reset = JSON.stringify({
    reason: `Events after this id are no longer known: reload your ${many}.`,
  });
  const changeFrame = ({ event, row }: ChangeEvent, includesRow: boolean): Uint8Array => {
    const { id, type, row_id, version, at } = event;
    const shown = includesRow && row ? writer.write(row as ListedRow) : 'null';
    const data = `{"${one}":${shown},"${one}_id":${row_id},"version":${version},"at":"${at}"}`;
    return frame(type, data, id);
  };
  return (message: RowMessage, position: number): Uint8Array => {
    if (message.type === 'reset') return frame('reset', reset, position);
    const includesRow = message.type === 'popular' || message.includesRow;
    const frames = framesOf.get(message.event) ?? new Map<boolean, Uint8Array>();
    framesOf.set(message.event, frames);
    const cached = frames.get(includesRow);
    if (cached) return cached;
    const encoded =
      message.type === 'popular'
        ? frame('popular', JSON.stringify(message.event))
        : changeFrame(message.event, includesRow);
    frames.set(includesRow, encoded);
    return encoded;
  };
}

/** The start of a stream: the current position, so that a client can resume before the first event. */
export function openingFrame(position: number): Uint8Array {
  return encoder.encode(`retry: ${RETRY_MS}\nid: ${position}\n\n`);
}

/** A comment that prevents the connection from timing out. */
export const HEARTBEAT: Uint8Array = encoder.encode(':\n\n');

/** JSON contains no line breaks, so it is a single data line. */
function frame(event: string, json: string, id?: number): Uint8Array {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return encoder.encode(`${idLine}event: ${event}\ndata: ${json}\n\n`);
}
