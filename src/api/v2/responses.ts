import type { ErrorCode } from '../../core/exceptions.ts';
import { type Problem, type ProblemDetails, problemDetails } from '../../schemas/problems.ts';
import { ERROR_FORMS } from '../plugins/error-forms.ts';

/** The codes of v2 by their status. */
type CodesByStatus = {
  [C in ErrorCode as (typeof ERROR_FORMS)[C]['v2']]: C;
};
type StatusOf<C extends ErrorCode> = (typeof ERROR_FORMS)[C]['v2'];
type V2Errors<C extends ErrorCode> = {
  [S in StatusOf<C>]: ProblemDetails<Extract<C, CodesByStatus[S]>>;
};

/** The problems with these codes and those of all routes, by their status. */
export type Problems<C extends ErrorCode = never> = ProblemsByStatus<C | OfAll>;
/** Also those of all routes that write. */
export type WriteProblems<C extends ErrorCode = never> = Problems<C | OfWrites>;
/** Also those of all routes that read a body and write. */
export type BodyProblems<C extends ErrorCode = never> = WriteProblems<C | OfBodies>;
type ProblemsByStatus<C extends ErrorCode> = {
  [S in StatusOf<C>]: Problem<Extract<C, CodesByStatus[S]>>;
};

/** The codes with which a route for signed-in callers refuses. */
export const SIGNED_IN = [
  'unauthenticated',
  'csrf_refused',
  'insufficient_scope',
  'second_factor_missing',
] as const;

/** The codes with which a route for admins refuses. */
export const ADMIN = [...SIGNED_IN, 'forbidden'] as const;

/** The codes of a route that honours Idempotency-Key; stored responses have a quota. */
export const KEYED = ['idempotency_mismatch', 'idempotency_running', 'quota_exceeded'] as const;

/** The codes with which any route may refuse or fail. */
const OF_ALL = [
  'malformed_request',
  'invalid_query',
  'length_required',
  'payload_too_large',
  'misdirected_request',
  'too_many_requests',
  'internal',
  'overloaded',
  'database_busy',
  'storage_failed',
] as const;
const OF_WRITES = ['storage_full'] as const;
const OF_BODIES = ['malformed_body', 'unsupported_media_type', 'validation_failed'] as const;

type OfAll = (typeof OF_ALL)[number];
type OfWrites = (typeof OF_WRITES)[number];
type OfBodies = (typeof OF_BODIES)[number];

/** Returns the schemas of a v2 route's problems: those with `codes` and those of all routes. */
export function v2Errors<const C extends ErrorCode = never>(...codes: C[]): V2Errors<C | OfAll> {
  const all = [...new Set<ErrorCode>([...OF_ALL, ...codes])];
  const byStatus = Object.groupBy(all, (code) => ERROR_FORMS[code].v2);
  const entries = Object.entries(byStatus).map(([status, own = []]) => [
    status,
    problemOf(Number(status), own),
  ]);
  return Object.fromEntries(entries) as V2Errors<C | OfAll>;
}

/** Returns the problems of a v2 route that writes: those with `codes` and those of all that write. */
export function v2WriteErrors<const C extends ErrorCode = never>(...codes: C[]) {
  return v2Errors<C | OfWrites>(...OF_WRITES, ...codes);
}

/** Returns the problems of a v2 route that reads a body and writes: those with `codes` and those of all such. */
export function v2BodyErrors<const C extends ErrorCode = never>(...codes: C[]) {
  return v2WriteErrors<C | OfBodies>(...OF_BODIES, ...codes);
}

const problems = new Map<string, ProblemDetails>();

/** One schema for all routes with the same codes. */
function problemOf(status: number, codes: ErrorCode[]): ProblemDetails {
  const name = nameOf(status, codes);
  const known = problems.get(name);
  if (known) return known;
  const titles = codes.map((code): [string, string] => [code, ERROR_FORMS[code].title]);
  const problem = problemDetails(name, status, titles);
  problems.set(name, problem);
  return problem;
}

/**
 * Returns the name of a problem in the document: the status, if it has only the usual codes or a
 * single one; `Problem400And…` with the codes beyond the usual ones; otherwise the names of all.
 */
function nameOf(status: number, codes: ErrorCode[]): string {
  const usual = Object.entries(ERROR_FORMS).filter(([, { v2 }]) => v2 === status);
  const base = USUAL.filter((code) => ERROR_FORMS[code].v2 === status);
  const hasUsual = base.length > 0 && base.every((code) => codes.includes(code));
  const others = (hasUsual ? codes.filter((code) => !USUAL.includes(code)) : codes).toSorted();
  if (usual.length === 1 || others.length === 0) return `Problem${status}`;
  return `Problem${status}${hasUsual ? 'And' : ''}${others.map(pascal).join('')}`;
}

/** The codes that most routes with their status have. */
const USUAL: ErrorCode[] = [...OF_ALL, ...SIGNED_IN, 'conflict', 'validation_failed'];

function pascal(code: ErrorCode): string {
  return code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
