/** The registered content codings (RFC 9110, 18.6, and IANA) that transform the content. */
const CODINGS: ReadonlySet<string> = new Set([
  'aes128gcm',
  'br',
  'compress',
  'dcb',
  'dcz',
  'deflate',
  'exi',
  'gzip',
  'pack200-gzip',
  'zstd',
]);

/**
 * Returns the codings of a Content-Encoding header in the order in which they were applied, in lower
 * case. Values that are not registered (`utf-8`, `none`, `aws-chunked`) transform nothing in practice
 * and are omitted, like `identity`.
 */
export function contentCodings(header: string | null): string[] {
  if (header === null) return [];
  const named = header.toLowerCase().split(',');
  return named.map((name) => name.trim().replace(/^x-(gzip|compress)$/, '$1')).filter(isCoding);
}

function isCoding(name: string): boolean {
  return CODINGS.has(name);
}
