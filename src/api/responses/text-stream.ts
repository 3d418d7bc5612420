/** The part of a route's context that holds the headers of its response. */
export interface ResponseSet {
  headers: Record<string, string | number>;
}

/**
 * Responds with text in parts, no faster than the client takes them: one that is slow or gone
 * holds a part at most. A part that throws cuts the connection. Typed as `T`, what the text
 * stands for, so that the route's schema and the client know it.
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
