import { AppError } from '../../core/exceptions.ts';
import type { GetOptions, Outbound } from '../../core/outbound/client.ts';
import { OutboundError } from '../../core/outbound/errors.ts';

/** What became of one URL. */
export type ExternalResult =
  | { readonly ok: true; readonly url: string; readonly data: unknown }
  | ExternalFailure;

export interface ExternalFailure {
  readonly ok: false;
  readonly url: string;
  readonly error: OutboundError;
}

export interface External {
  /**
   * Fetches the JSON of several URLs at the same time, as far as the limits of the outbound
   * client allow. The results are in the order of the URLs, one for each; a URL that is named
   * twice is fetched once. A URL that fails never loses the others: its error is its result.
   * Rejects for a fault of our own only.
   */
  fetchExternalData(urls: readonly string[], options?: GetOptions): Promise<ExternalResult[]>;

  /**
   * The same, all or nothing: the data in the order asked. Throws for the first URL that failed:
   * validation_failed when it may not be fetched at all, overloaded, else upstream_failed.
   */
  fetchAll(urls: readonly string[], options?: GetOptions): Promise<unknown[]>;
}

/** The outside APIs that a caller may ask for. */
export function createExternal({ outbound }: { outbound: Pick<Outbound, 'getJson'> }): External {
  const fetchExternalData: External['fetchExternalData'] = async (urls, options = {}) => {
    const distinct = [...new Set(urls)];
    const results = await Promise.all(distinct.map((url) => fetchOne(outbound, url, options)));
    const byUrl = new Map(results.map((result) => [result.url, result]));
    return urls.flatMap((url) => byUrl.get(url) ?? []);
  };
  return {
    fetchExternalData,
    fetchAll: async (urls, options) =>
      (await fetchExternalData(urls, options)).map((result, index) => {
        if (!result.ok) throw toAppError(result, index);
        return result.data;
      }),
  };
}

function toAppError({ error }: ExternalFailure, index: number): AppError {
  const { code, message, cause } = error;
  if (code === 'url_refused') {
    const problems = [{ type: 'value_error', loc: ['query', 'url', index], msg: message }];
    return new AppError('validation_failed', message, { problems, cause });
  }
  if (code === 'overloaded') {
    return new AppError('overloaded', message, { retryAfterSeconds: 1, cause });
  }
  return new AppError('upstream_failed', message, { cause });
}

async function fetchOne(
  outbound: Pick<Outbound, 'getJson'>,
  url: string,
  options: GetOptions,
): Promise<ExternalResult> {
  try {
    return { ok: true, url, data: await outbound.getJson(url, options) };
  } catch (error) {
    if (error instanceof OutboundError) return { ok: false, url, error };
    throw error;
  }
}
