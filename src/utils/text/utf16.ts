/**
 * JSON in UTF-16 turned into UTF-8, and any other bytes as they are. JSON begins with two ASCII
 * characters or is one, so a mark of the byte order or the place of the first zero byte tells the
 * encoding (RFC 4627, 3). Bytes that are not UTF-16 after all are returned as they are.
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
