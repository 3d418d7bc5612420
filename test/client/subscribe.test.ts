import { describe, expect, test } from 'bun:test';
import { createClient, type HutchError, subscribe } from '../../src/client.ts';

type Connection = number | 'lost' | string[] | [status: number, retryAfter: string];

/** A server whose connections are scripted; the last one stays open. */
function scripted(connections: Connection[]) {
  const lastIds: (string | null)[] = [];
  const fetch = async ({ headers, signal }: Request) => {
    lastIds.push(headers.get('last-event-id'));
    const step = connections.shift();
    if (step === 'lost') throw new TypeError('fetch failed');
    if (typeof step === 'number') return Response.json({}, { status: step });
    const [status, retryAfter] = step ?? [];
    if (typeof status === 'number') {
      return Response.json({}, { status, headers: { 'retry-after': `${retryAfter}` } });
    }
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const encoder = new TextEncoder();
        for (const part of step ?? []) controller.enqueue(encoder.encode(String(part)));
        if (step) controller.close();
        else signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  };
  return { lastIds, events: createClient('http://localhost', { fetch }).v2.items.events };
}

const created = (id: number) => `id: ${id}\nevent: created\ndata: {"item_id":${id}}\n\n`;
const fast = { minDelayMs: 1, maxDelayMs: 2 };

/** Returns the ids of the first `count` events. */
async function take(count: number, { events }: ReturnType<typeof scripted>, options = {}) {
  const ids: unknown[] = [];
  for await (const event of subscribe(events, { ...fast, ...options })) {
    ids.push('id' in event ? event.id : event.event);
    if (ids.length === count) break;
  }
  return ids;
}

describe('a subscription', () => {
  test('resumes after the last event when the connection ends', async () => {
    const server = scripted([['id: 4\n\n', created(5), ':\n\n'], [created(6)], [created(7)]]);
    expect(await take(3, server)).toEqual([5, 6, 7]);
    expect(server.lastIds).toEqual([null, '5', '6']);
  });

  test('resumes after the id of the opening block without any event, and starts after lastEventId', async () => {
    const server = scripted([['id: 4\n\n'], [created(5)]]);
    expect(await take(1, server, { lastEventId: 2 })).toEqual([5]);
    expect(server.lastIds).toEqual(['2', '4']);
  });

  test('drops a truncated block, which is sent again', async () => {
    const server = scripted([[created(1), created(2).slice(0, -1)], [created(2)]]);
    expect(await take(2, server)).toEqual([1, 2]);
    expect(server.lastIds).toEqual([null, '1']);
  });

  test('reads events regardless of chunks and line endings', async () => {
    const text = `${created(1)}id: 2\r\nevent: created\r\ndata: {"item_id":\r\ndata: 2}\r\n\r\n`;
    expect(await take(2, scripted([text.split('')]))).toEqual([1, 2]);
  });

  test('survives lost connections and 5xx', async () => {
    const lost: (number | undefined)[] = [];
    const onDisconnect = (error: HutchError | null) => void lost.push(error?.status);
    const server = scripted(['lost', 503, 502, 429, [created(1)], [created(2)]]);
    expect(await take(2, server, { onDisconnect })).toEqual([1, 2]);
    expect(lost).toEqual([0, 503, 502, 429, undefined]);
  });

  test('waits for Retry-After, up to the maximum delay', async () => {
    const server = scripted([[503, '3600'], [created(1)]]);
    expect(await take(1, server)).toEqual([1]);
  });

  test.each([400, 401, 403, 404, 422])('throws %i, which is permanent', async (status) => {
    await expect(take(1, scripted([[], status]))).rejects.toMatchObject({
      name: 'HutchError',
      status,
    });
  });

  test('ends without an error when its signal is aborted', async () => {
    const abort = new AbortController();
    const server = scripted([[created(1)]]);
    const ids: unknown[] = [];
    for await (const event of subscribe(server.events, { ...fast, signal: abort.signal })) {
      ids.push(event.event);
      setTimeout(() => abort.abort(), 10);
    }
    expect(ids).toEqual(['created']);
  });

  test('reconnects if the connection is idle for too long', async () => {
    const server = scripted([]);
    let losses = 0;
    const abort = new AbortController();
    const onDisconnect = () => {
      if (++losses === 3) abort.abort();
    };
    await take(1, server, { idleTimeoutMs: 5, onDisconnect, signal: abort.signal });
    expect([losses, server.lastIds.length]).toEqual([3, 3]);
  });
});
