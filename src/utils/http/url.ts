/** No authority of an absolute http or https URL ends before this index. */
const AUTHORITY_END = 8;

/**
 * The path of an absolute http URL, as the router reads it: from the first slash after the
 * authority to the first question mark. Nothing is decoded.
 */
export function urlPath(url: string): string {
  const start = url.indexOf('/', AUTHORITY_END);
  if (start === -1) return '/';
  const end = url.indexOf('?', start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

/** Whether the path of an absolute http URL starts with `prefix`. Makes no copy of the path. */
export function isUnder(url: string, prefix: string): boolean {
  return url.startsWith(prefix, url.indexOf('/', AUTHORITY_END));
}

/** The query of an absolute http URL, without its question mark; empty when there is none. */
export function urlQuery(url: string): string {
  const start = url.indexOf('?', AUTHORITY_END);
  return start === -1 ? '' : url.slice(start + 1);
}
