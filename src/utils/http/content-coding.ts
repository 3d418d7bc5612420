/** The registered content codings (RFC 9110, 18.6, and IANA) that change what is sent. */
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
 * The codings of a Content-Encoding header in the order in which they were applied, in lower case.
 * What is not registered (`utf-8`, `none`, `aws-chunked`) changes nothing in practice and is left
 * out, as identity is.
 */
export function contentCodings(header: string | null): string[] {
  if (header === null) return [];
  const named = header.toLowerCase().split(',');
  return named.map((name) => name.trim().replace(/^x-(gzip|compress)$/, '$1')).filter(isCoding);
}

function isCoding(name: string): boolean {
  return CODINGS.has(name);
}
