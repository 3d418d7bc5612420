/**
 * Answers JSON that is text already, typed as what it holds, so that the route's schema and the
 * client see what is sent. Elysia would copy each value by the schema first, and stringify then.
 */
export function answerJson<T>(
  text: string,
  set: { headers: Record<string, string | number> },
  more: Record<string, string> = {},
): T {
  const headers = {
    ...(set.headers as Record<string, string>),
    // Without a charset: clients of oapi-codegen compare it where a route has several media types.
    'content-type': 'application/json',
    ...more,
  };
  // Nothing is left for Elysia to copy into the answer, one header at a time.
  set.headers = {};
  return new Response(text, { headers }) as unknown as T;
}

/** As `answerJson`, for a value that has nothing but what the route's schema shows. */
export async function answerAsIs<T extends object>(
  value: Promise<T>,
  set: { headers: Record<string, string | number> },
): Promise<T> {
  return answerJson(JSON.stringify(await value), set);
}
