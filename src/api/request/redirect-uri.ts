import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { ownOrigin } from './own-origin.ts';

/** The page that finishes a sign-in by a provider, unless told. */
const DEFAULT_PATH = '/sign-in';

/**
 * Where a browser comes back from a provider, with the origin of this server. Throws
 * validation_failed for a page that is neither its own nor of HUTCH_CORS_ORIGINS: the code that
 * comes there opens a session. Throws conflict as `ownOrigin`.
 */
export function returnTo(config: Deps['config'], request: Request, given: string | undefined) {
  const origin = ownOrigin(config, request);
  const redirect_uri = given ?? `${origin}${DEFAULT_PATH}`;
  const url = URL.parse(redirect_uri);
  const isListed = url?.origin === origin || config.corsOrigins.includes(url?.origin ?? '');
  if (!url || !isListed || url.username || url.password || url.hash) throw foreign();
  return { origin, redirect_uri };
}

function foreign(): AppError {
  const msg = 'Must be a page of this server or of one of HUTCH_CORS_ORIGINS';
  const problems = [{ type: 'value_error', loc: ['body', 'redirect_uri'], msg }];
  return new AppError('validation_failed', 'The request is not valid', { problems });
}
