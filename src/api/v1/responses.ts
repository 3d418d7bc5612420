import { Detail, ValidationDetail } from '../../schemas/common.ts';

type V1Status = 400 | 401 | 403 | 404 | 411 | 413 | 415 | 421 | 422 | 429 | 500 | 502 | 503 | 507;
type V1Error<S extends V1Status> = S extends 422 ? typeof ValidationDetail : typeof Detail;
type V1Errors<S extends V1Status> = { [K in S]: V1Error<K> };

/** The statuses with which any route may refuse or fail. */
const OF_ALL = [400, 411, 413, 421, 429, 500, 503] as const;
type OfAll = (typeof OF_ALL)[number];

/** An example text for each status, for the document. */
const TEXTS: Record<Exclude<V1Status, 422>, string> = {
  400: 'The Host header names no host',
  401: 'Not authenticated',
  403: 'Not enough permissions',
  404: 'Item 7 not found',
  411: 'Chunked bodies are not supported: declare the length by Content-Length',
  413: 'The body must not exceed 16384 bytes',
  415: 'The body must be application/json',
  421: 'This server does not serve that host',
  429: 'Too many requests, try again later',
  500: 'Internal server error',
  502: 'api.example.com cannot be reached',
  503: 'The server is overloaded, try again later',
  507: 'The disk is full',
};

const REFUSED = {
  type: 'string_too_short',
  loc: ['body', 'title'],
  msg: 'String should have at least 1 character',
};

/**
 * Returns the schemas of a v1 route's errors: those with `statuses` and those of all routes. `own` are
 * texts of the route itself, as examples for the document.
 */
export function v1Errors<const S extends V1Status>(
  statuses: readonly S[],
  own: Partial<Record<V1Status, readonly string[]>> = {},
): V1Errors<S | OfAll> {
  const entries = [...statuses, ...OF_ALL].map((status) => [
    status,
    status === 422 ? refusal : errorOf(own[status] ?? [TEXTS[status as keyof typeof TEXTS]]),
  ]);
  return Object.fromEntries(entries) as V1Errors<S | OfAll>;
}

/** Returns the errors of a v1 route that reads a body and writes, and its own. */
export function v1WriteErrors<const S extends V1Status>(
  statuses: readonly S[],
  own: Partial<Record<V1Status, readonly string[]>> = {},
) {
  return v1Errors<S | 415 | 422 | 507>([...statuses, 415, 422, 507], own);
}

const refusal = { ...ValidationDetail, examples: [{ detail: [REFUSED] }] };

function errorOf(texts: readonly string[]): typeof Detail {
  return { ...Detail, examples: texts.map((detail) => ({ detail })) };
}
