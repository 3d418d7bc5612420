import { Detail, ValidationDetail } from '../../schemas/common.ts';

type V1Status = 400 | 401 | 403 | 404 | 413 | 415 | 422 | 429 | 500 | 502 | 503 | 507;
type V1Error<S extends V1Status> = S extends 422 ? typeof ValidationDetail : typeof Detail;
type V1Errors<S extends V1Status> = { [K in S]: V1Error<K> };

/** The schemas of the errors that a v1 route can answer; any can be too many or fail. */
export function v1Errors<const S extends V1Status>(...statuses: S[]): V1Errors<S | 429 | 500> {
  const entries = [...statuses, 429, 500].map((status) => [
    status,
    status === 422 ? ValidationDetail : Detail,
  ]);
  return Object.fromEntries(entries) as V1Errors<S | 429 | 500>;
}

/** The errors of a v1 route that reads a body and writes, beside its own. */
export function v1WriteErrors<const S extends V1Status>(...statuses: S[]) {
  return { ...v1Errors(...statuses), ...v1Errors(413, 415, 422, 503, 507) };
}
