/** A block of server-sent events as it was sent; `data` is parsed. */
export interface Block {
  id?: string;
  event?: string;
  retry?: string;
  // Whatever JSON the event holds: each test knows which.
  data?: Record<string, unknown>;
  comment?: string;
}

/** Reads a stream of server-sent events block by block. */
export function readEvents(answer: Response) {
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let isOver = false;
  const block = async (): Promise<Block | undefined> => {
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end >= 0) {
        const text = rest.slice(0, end);
        rest = rest.slice(end + 2);
        return parse(text);
      }
      if (isOver) return undefined;
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      isOver = done;
      rest += decoder.decode(value, { stream: true });
    }
  };
  const nextWhere = async (isIt: (event: string) => boolean): Promise<Block | undefined> => {
    for (;;) {
      const found = await block();
      if (!found || (found.event !== undefined && isIt(found.event))) return found;
    }
  };
  /** The next event, except `popular`, which is sent at any time and read separately. */
  const next = () => nextWhere((event) => event !== 'popular');
  const nextPopular = () => nextWhere((event) => event === 'popular');
  const take = async (count: number): Promise<Block[]> => {
    const taken: Block[] = [];
    for (let found = await next(); found; found = await next()) {
      if (taken.push(found) === count) break;
    }
    return taken;
  };
  return { block, next, nextPopular, take, cancel: () => reader.cancel() };
}

function parse(text: string): Block {
  const entries = text.split('\n').map((line) => {
    const [, name = '', value = ''] = line.match(/^([^:]*): ?(.*)$/) ?? [];
    return [name === '' ? 'comment' : name, name === 'data' ? JSON.parse(value) : value];
  });
  return Object.fromEntries(entries) as Block;
}
