/** A block of server-sent events. One that is a comment alone, a heartbeat, has no fields. */
export interface EventBlock {
  event?: string;
  id?: number | string;
  /** Parsed where it is JSON. */
  data?: unknown;
  /** Milliseconds that the server asks to wait before a reconnection. */
  retry?: number;
}

/**
 * Reads server-sent events. A block that was cut off is dropped. Throws what the stream throws;
 * the stream is cancelled when the reader stops early.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<EventBlock, void, unknown> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let { value } = await reader.read(); value; { value } = await reader.read()) {
      // Where a CR ends what came so far, its LF may be on the way.
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
