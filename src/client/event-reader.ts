/** A block of server-sent events. A heartbeat, which is only a comment, has no fields. */
export interface EventBlock {
  event?: string;
  id?: number | string;
  /** Parsed if it is JSON. */
  data?: unknown;
  /** Milliseconds to wait before a reconnection, as requested by the server. */
  retry?: number;
}

/**
 * Reads server-sent events. An incomplete block is dropped. Errors of the stream are rethrown; the
 * stream is cancelled if the reader stops early.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<EventBlock, void, unknown> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let { value } = await reader.read(); value; { value } = await reader.read()) {
      // After a trailing CR, the next chunk may start with its LF.
      const text = rest + decoder.decode(value, { stream: true });
      const blocks = text.split(/\r\n\r\n|\n\n|\r\r(?!\n)/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) yield parseBlock(block);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function parseBlock(text: string): EventBlock {
  const block: EventBlock = {};
  const data: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, name, value = ''] = /^([^:]+)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'event') block.event = value;
    else if (name === 'id') block.id = /^\d{1,15}$/.test(value) ? Number(value) : value;
    else if (name === 'data') data.push(value);
    else if (name === 'retry' && /^\d+$/.test(value)) block.retry = Number(value);
  }
  if (data.length > 0) block.data = parsed(data.join('\n'));
  return block;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
