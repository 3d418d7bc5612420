import { entityTagsOf } from '../../utils/http/header-grammar.ts';
import type { ResponseSet } from './response-set.ts';

/**
 * Sets the ETag of a version. It is strong: equal tags mean equal content, except for views.
 * `beside` is content that is shown with the resource and changes without it.
 */
export function setETag(version: number, { headers }: ResponseSet, beside?: string): void {
  headers['etag'] = etagOf(version, beside);
}

/** True if If-None-Match shows that the caller has this version (RFC 9110, 13.1.2). */
export function isUnchanged(version: number, request: Request, beside?: string): boolean {
  const isConditional = request.headers.has('if-none-match');
  return isConditional && isCurrent(etagOf(version, beside), request);
}

/** True if If-None-Match names `etag`, weak or strong, or is `*`. */
export function isCurrent(etag: string, request: Request): boolean {
  const header = request.headers.get('if-none-match');
  return isAny(header) || entityTagsOf(header).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Returns the versions that If-Match allows; undefined if it allows any or is missing. A weak tag
 * and a tag that is not ours allow nothing (RFC 9110, 13.1.1).
 */
export function matchedVersions(request: Request): number[] | undefined {
  const header = request.headers.get('if-match');
  if (header === null || isAny(header)) return undefined;
  return entityTagsOf(header)
    .flatMap((tag) => tag.match(/^"v(\d{1,15})(?:-[0-9a-f]{16})?"$/)?.[1] ?? [])
    .map(Number);
}

/** Responds with 304 and no body. Typed as the body that the caller already has. */
export function notModified<T>(set: ResponseSet & { status?: number | string }): T {
  set.status = 304;
  return undefined as T;
}

/** True if `*` is the only element; a list may have empty ones (RFC 9110, 5.6.1). */
function isAny(header: string | null): boolean {
  return header !== null && /^[\s,]*\*[\s,]*$/.test(header);
}

function etagOf(version: number, beside?: string): string {
  if (beside === undefined) return `"v${version}"`;
  return `"v${version}-${Bun.SHA256.hash(beside, 'hex').slice(0, 16)}"`;
}
