import { Detail, ValidationDetail } from '../../schemas/common.ts';

type V1Status = 400 | 401 | 403 | 404 | 411 | 413 | 415 | 421 | 422 | 429 | 500 | 502 | 503 | 507;
type V1Error<S extends V1Status> = S extends 422 ? typeof ValidationDetail : typeof Detail;
type V1Errors<S extends V1Status> = { [K in S]: V1Error<K> };

/** Any route can get a wrong body, for another host, or too often, and can fail or be busy. */
const OF_ALL = [400, 411, 413, 421, 429, 500, 503] as const;
type OfAll = (typeof OF_ALL)[number];

/** The schemas of the errors that a v1 route can answer, beside those of all. */
export function v1Errors<const S extends V1Status>(...statuses: S[]): V1Errors<S | OfAll> {
  const entries = [...statuses, ...OF_ALL].map((status) => [
    status,
    status === 422 ? ValidationDetail : Detail,
  ]);
  return Object.fromEntries(entries) as V1Errors<S | OfAll>;
}

/** The errors of a v1 route that reads a body and writes, beside its own. */
export function v1WriteErrors<const S extends V1Status>(...statuses: S[]) {
  return { ...v1Errors(...statuses), ...v1Errors(415, 422, 507) };
}
