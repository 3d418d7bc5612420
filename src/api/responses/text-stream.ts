import type { ResponseSet } from './response-set.ts';

/**
 * Responds with text in parts, at the pace of the client: at most one part is in memory. A part that
 * throws cuts the connection. `T` is the type of the route's schema and of the client.
 */
export function textStream<T>(
  parts: AsyncGenerator<{ text: string }>,
  set: ResponseSet,
  headers: Record<string, string>,
): T {
  const utf8 = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(utf8.encode(value.text));
      },
      cancel: async () => void (await parts.return(undefined)),
    },
    { highWaterMark: 0 },
  );
  const all = { ...(set.headers as Record<string, string>), ...headers };
  set.headers = {};
  return new Response(body, { headers: all }) as T;
}
