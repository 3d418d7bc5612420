import { AppError } from '../core/exceptions.ts';
import { withLimit } from '../utils/abort.ts';

/** Deadline of each call to a provider of sign-in. */
const TIMEOUT_MS = 10_000;
/** RFC 6749, 5.2: the only words of a provider that the log may have. */
const OAUTH_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);

/** Read at the first sign-in: with it come the classes of 60 providers. */
export const arctic = () => import('arctic');

/** What went wrong with a provider, in words of our own. */
class ProviderFault extends Error {
  override readonly name = 'ProviderFault';
}

/**
 * Calls the provider known as `title`, for 10 seconds at most. Throws upstream_failed for
 * whatever fails but an AppError; what the provider said is told to nobody.
 */
export async function callProvider<T>(
  title: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const onTimeout = () => new ProviderFault('It took too long');
  try {
    return await withLimit({ timeoutMs: TIMEOUT_MS, onTimeout }, call);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const cause = error instanceof ProviderFault ? error : new ProviderFault(reasonOf(error));
    throw new AppError('upstream_failed', `${title} did not answer as it should`, { cause });
  }
}

/** GETs JSON of a provider; secrets follow no redirect. Throws as `callProvider` does. */
export function getJson(title: string, url: string, headers: Record<string, string> = {}) {
  return callProvider(title, async (signal): Promise<unknown> => {
    const sent = { accept: 'application/json', 'user-agent': 'hutch', ...headers };
    const answer = await fetch(url, { headers: sent, signal, redirect: 'error' });
    if (answer.status === 200) return answer.json();
    await answer.body?.cancel();
    throw new ProviderFault(`It answered ${answer.status}`);
  });
}

/** For an answer that came and is not what it should be. */
export function fault(message: string): Error {
  return new ProviderFault(message);
}

/** The person is to blame, or whoever sent a code that is not his. */
export function refused(): AppError {
  return new AppError('bad_credentials', 'The sign-in was refused');
}

function reasonOf(error: unknown): string {
  const { code, status, cause } = error as { code?: unknown; status?: unknown; cause?: unknown };
  if (typeof status === 'number') return `It answered ${status}`;
  const own = code ?? (cause as { code?: unknown } | undefined)?.code;
  const isOurs = OAUTH_ERRORS.has(String(own)) || /^[A-Z]\w{2,40}$/.test(String(own));
  return isOurs ? `It failed with ${own}` : 'It could not be reached or understood';
}
