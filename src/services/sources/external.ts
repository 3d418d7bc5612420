import { AppError } from '../../core/exceptions.ts';
import type { GetOptions, Outbound } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';

type Result = { data: unknown } | { error: OutboundError };

/** Fetches JSON from URLs that callers choose. */
export const createExternal = ({ outbound }: { outbound: Pick<Outbound, 'getJson'> }) => ({
  /**
   * Fetches several URLs concurrently, within the limits of the outbound client, and returns their
   * JSON in the same order. A URL that is named twice is fetched once. Waits for all of them, then
   * throws for the first that failed: validation_failed if it must not be fetched at all,
   * overloaded, or else upstream_failed.
   */
  fetchAll: async (urls: readonly string[], options: GetOptions = {}): Promise<unknown[]> => {
    const requests = new Map<string, Promise<Result>>();
    for (const url of new Set(urls)) requests.set(url, fetchOne(outbound, url, options));
    const results = await Promise.all(urls.map((url) => requests.get(url) as Promise<Result>));
    return results.map((result, index) => {
      if ('error' in result) throw toAppError(result.error, index);
      return result.data;
    });
  },
});

async function fetchOne(
  outbound: Pick<Outbound, 'getJson'>,
  url: string,
  options: GetOptions,
): Promise<Result> {
  try {
    return { data: await outbound.getJson(url, options) };
  } catch (error) {
    if (error instanceof OutboundError) return { error };
    throw error;
  }
}

function toAppError(error: OutboundError, index: number): AppError {
  const { code, message, cause } = error;
  if (code === 'url_refused') {
    const fields = [{ type: 'value_error', path: ['url', index], msg: message }];
    return new AppError('validation_failed', message, { fields, cause });
  }
  if (code === 'overloaded') {
    return new AppError('overloaded', message, { retryAfterSeconds: 1, cause });
  }
  return new AppError('upstream_failed', message, { cause });
}
