import { OutboundError } from './errors.ts';

/** As many bytes as common servers take. */
const MAX_HEADER_LENGTH = 8_192;

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// Visible ASCII, blanks and the bytes above: what a field may have (RFC 9110, 5.5).
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** What frames or steers the exchange, or is decided here: no caller may set it. */
const RESERVED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'keep-alive',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/**
 * The headers of a request, names in lower case and in order, with a type where there is a
 * body. Throws request_refused for a name or value that could break the framing, a name that
 * is decided here, a name that comes twice, and more than 8,192 characters in all.
 */
export function checkedHeaders(
  headers: Readonly<Record<string, string>>,
  hasBody: boolean,
): Record<string, string> {
  const entries = Object.entries(headers).map(checkedHeader);
  const checked = Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (Object.keys(checked).length < entries.length) throw refused('A header is named twice');
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > MAX_HEADER_LENGTH) throw refused(`The headers are over ${MAX_HEADER_LENGTH} bytes`);
  return hasBody ? { 'content-type': 'application/json', ...checked } : checked;
}

// A value may be a secret, so no message shows one; a bad name may be anything.
function checkedHeader([rawName, value]: [string, string]): [string, string] {
  const name = rawName.toLowerCase();
  if (!NAME.test(name)) throw refused('A header has a name that no header may have');
  if (RESERVED.has(name) || name.startsWith('proxy-')) {
    throw refused(`The header ${name} may not be set`);
  }
  if (!VALUE.test(value)) throw refused(`The header ${name} has characters that no value may have`);
  return [name, value.trim()];
}

function refused(message: string): OutboundError {
  return new OutboundError('request_refused', message);
}
