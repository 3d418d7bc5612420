/**
 * Splits a header at a separator and returns the trimmed, non-empty parts (RFC 9110, 5.6.1).
 * Separators in quoted strings are ignored.
 */
export function partsOf(header: string | null, separator: ',' | ';'): string[] {
  if (header === null) return [];
  const parts = header.includes('"') ? splitUnquoted(header, separator) : header.split(separator);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/**
 * Returns the entity tags of an If-Match or If-None-Match header, with `W/` and quotes, up to the
 * first element that is none (RFC 9110, 8.8.3). A tag may contain commas and backslashes.
 */
export function entityTagsOf(header: string | null): string[] {
  const tag = /[\s,]*((?:W\/)?"[^"]*")[ \t]*(?=,|$)/y;
  const tags: string[] = [];
  for (let match = tag.exec(header ?? ''); match; match = tag.exec(header ?? '')) {
    tags.push(match[1] ?? '');
  }
  return tags;
}

/** Returns the text of a token or a quoted string (RFC 9110, 5.6.4). */
export function unquoted(value: string): string {
  const text = value.trim();
  return /^"(?:[^"\\]|\\.)*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function splitUnquoted(header: string, separator: string): string[] {
  const parts = [''];
  let isQuoted = false;
  for (let index = 0; index < header.length; index += 1) {
    const char = header[index] ?? '';
    if (char === '"') isQuoted = !isQuoted;
    if (char === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += char;
    // In a quoted string, a backslash escapes the next character.
    if (char === '\\' && isQuoted) {
      index += 1;
      parts[parts.length - 1] += header[index] ?? '';
    }
  }
  return parts;
}
