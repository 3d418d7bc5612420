import type { ErrorCode } from '../../core/exceptions.ts';
import { ProblemDetails } from '../../schemas/system.ts';
import { ERROR_FORMS } from '../error-forms.ts';

type V2Status =
  | 400
  | 401
  | 403
  | 404
  | 409
  | 411
  | 412
  | 413
  | 415
  | 421
  | 422
  | 429
  | 500
  | 502
  | 503
  | 504
  | 507;
/** The codes that v2 answers with a status. */
type CodeOf<S extends V2Status> = {
  [C in ErrorCode]: (typeof ERROR_FORMS)[C]['v2'] extends S ? C : never;
}[ErrorCode];
/** The schemas of problems by their status, which the client's package names. */
export type ProblemSchemas = { [S in V2Status]: ReturnType<typeof ProblemDetails<CodeOf<S>>> };
type V2Errors<S extends V2Status> = { [K in S]: ProblemSchemas[K] };

const PROBLEMS = new Map(
  Object.entries(Object.groupBy(Object.entries(ERROR_FORMS), ([, { v2 }]) => String(v2))).map(
    ([status, forms = []]) => {
      const [[, { title }] = ['', { title: '' }]] = forms;
      const codes = forms.map(([code]) => code);
      return [Number(status), ProblemDetails(Number(status), codes, title)];
    },
  ),
);

/** Any route can get a wrong query or body, for another host, or too often, and can fail or be busy. */
const OF_ALL = [400, 411, 413, 421, 429, 500, 503] as const;
type OfAll = (typeof OF_ALL)[number];

/** The schemas of the problems that a v2 route can answer, beside those of all. */
export function v2Errors<const S extends V2Status = never>(...statuses: S[]): V2Errors<S | OfAll> {
  const entries = [...statuses, ...OF_ALL].map((status) => [status, PROBLEMS.get(status)]);
  return Object.fromEntries(entries) as V2Errors<S | OfAll>;
}

/** The problems of a v2 route that writes, beside its own. */
export const v2WriteErrors = <const S extends V2Status = never>(...statuses: S[]) => ({
  ...v2Errors(...statuses),
  ...v2Errors(507),
});

/** The problems of a v2 route that reads a body and writes, beside its own. */
export const v2BodyErrors = <const S extends V2Status = never>(...statuses: S[]) => ({
  ...v2WriteErrors(...statuses),
  ...v2Errors(415, 422),
});
