/** No authority of an absolute http or https URL ends before this index. */
const AUTHORITY_END = 8;

/**
 * Returns the path of an absolute http URL as the router sees it: from the first slash after the
 * authority to the first question mark, not decoded.
 */
export function urlPath(url: string): string {
  const start = url.indexOf('/', AUTHORITY_END);
  if (start === -1) return '/';
  const end = url.indexOf('?', start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

/** True if the path of an absolute http URL starts with `prefix`. Does not copy the path. */
export function isUnder(url: string, prefix: string): boolean {
  return url.startsWith(prefix, url.indexOf('/', AUTHORITY_END));
}

/** Returns the query of an absolute http URL without the question mark; empty for none. */
export function urlQuery(url: string): string {
  const start = url.indexOf('?', AUTHORITY_END);
  return start === -1 ? '' : url.slice(start + 1);
}
