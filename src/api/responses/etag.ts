import { partsOf } from '../../utils/http/header-grammar.ts';

interface Answer {
  status?: number | string;
  headers: Record<string, string | number>;
}

/**
 * Names the version of what is answered. Strong: equal tags are equal content, views aside;
 * `beside` is what is shown with it and changes without it.
 */
export function tell(
  version: number,
  { headers }: Pick<Answer, 'headers'>,
  beside?: string | undefined,
): void {
  headers['etag'] = etagOf(version, beside);
}

/** Whether the caller holds this version already, by If-None-Match (RFC 9110, 13.1.2). */
export function isKnown(version: number, request: Request, beside?: string | undefined): boolean {
  const tags = partsOf(request.headers.get('if-none-match'), ',');
  return tags.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etagOf(version, beside));
}

/**
 * The versions that If-Match allows; undefined where it allows any or is not there. A tag that is
 * weak or none of ours allows nothing (RFC 9110, 13.1.1).
 */
export function matchedVersions(request: Request): number[] | undefined {
  const header = request.headers.get('if-match');
  if (header === null) return undefined;
  const tags = partsOf(header, ',');
  if (tags.includes('*')) return undefined;
  return tags
    .flatMap((tag) => tag.match(/^"v(\d{1,15})(?:-[0-9a-f]{16})?"$/)?.[1] ?? [])
    .map(Number);
}

/** Answers 304: nothing that the caller does not hold. */
export function notModified<T>(set: Answer): T {
  set.status = 304;
  return undefined as T;
}

function etagOf(version: number, beside?: string | undefined): string {
  if (beside === undefined) return `"v${version}"`;
  return `"v${version}-${Bun.SHA256.hash(beside, 'hex').slice(0, 16)}"`;
}
