/**
 * Converts JSON in UTF-16 to UTF-8 and returns other bytes unchanged. JSON starts with ASCII, so a
 * byte order mark or the position of the first zero byte determines the encoding (RFC 4627, 3).
 * Bytes that turn out not to be UTF-16 are returned unchanged.
 */
export function asUtf8(bytes: Uint8Array): Uint8Array {
  const encoding = utf16Of(bytes);
  if (!encoding) return bytes;
  try {
    return new TextEncoder().encode(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch {
    return bytes;
  }
}

function utf16Of([first, second]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (first === undefined || second === undefined) return undefined;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return undefined;
}
