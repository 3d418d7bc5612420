import { decodeUtf8 } from '../text/utf8.ts';
import { isFlawedNumber, type JsonBounds, type JsonFlaw, pathTo, scanJson } from './scan.ts';

export type { JsonBounds } from './scan.ts';

declare global {
  // Not yet in TypeScript's library: access to the source text of JSON (ES2026).
  interface JSON {
    parse(text: string, reviver: Reviver | undefined): unknown;
    rawJSON(text: string): unknown;
  }
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** Enough for one document of a client. JSON.parse takes about 5 ms for it at most. */
export const JSON_BOUNDS: JsonBounds = { maxDepth: 32, maxNodes: 20_000 };

/** The reason why bytes are not acceptable JSON. */
export type JsonFaultKind = 'encoding' | 'syntax' | 'bounds' | JsonFlaw;

/** The message has no full stop and may be shown to the client; a flaw's starts in lower case. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly kind: JsonFaultKind;
  /** The path to a flaw: keys and indexes. Empty for other kinds. */
  readonly path: (string | number)[];

  constructor(kind: JsonFaultKind, message: string, path: (string | number)[] = []) {
    super(message);
    this.kind = kind;
    this.path = path;
  }

  /** True if the text is valid JSON with a value that is refused. */
  get isFlaw(): boolean {
    return this.kind in FLAW_MESSAGES;
  }
}

const FLAW_MESSAGES: Record<JsonFlaw, string> = {
  number: 'numbers must lie within ±(2^53 - 1) and must not be rounded to 0',
  text: 'text must not contain NUL or lone surrogates',
  key: 'the key __proto__ is not allowed',
};

/**
 * Parses JSON in UTF-8. Throws JsonFault for text outside `bounds` (before building any value), for
 * bytes that are not UTF-8 or not JSON, and for the first flaw, with its path.
 */
export function parseJson(bytes: Uint8Array, bounds = JSON_BOUNDS): unknown {
  const { exceeded, flaw } = scanJson(bytes, bounds);
  if (exceeded) throw outOfBounds(exceeded, bounds);
  const value = parseText(decode(bytes));
  if (flaw) throw new JsonFault(flaw.kind, FLAW_MESSAGES[flaw.kind], pathTo(bytes, flaw.at));
  return value;
}

/**
 * Like `parseJson`, for JSON that is only forwarded: flaws are accepted, and JSON.stringify writes
 * flawed numbers with their original digits.
 */
export function parseForeignJson(bytes: Uint8Array, bounds: JsonBounds): unknown {
  const { exceeded, flaw } = scanJson(bytes, bounds);
  if (exceeded) throw outOfBounds(exceeded, bounds);
  return parseText(decode(bytes), flaw && keepDigits);
}

const keepDigits: Reviver = (_key, value, { source }) => {
  const isFlawed = typeof value === 'number' && source !== undefined && isFlawedNumber(source);
  return isFlawed ? JSON.rawJSON(source) : value;
};

function outOfBounds(exceeded: keyof JsonBounds, bounds: JsonBounds): JsonFault {
  const max = bounds[exceeded];
  const msg =
    exceeded === 'maxDepth'
      ? `The JSON is nested more than ${max} deep`
      : `The JSON has more than ${max} values and keys`;
  return new JsonFault('bounds', msg);
}

function decode(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new JsonFault('encoding', 'Invalid UTF-8');
  return text;
}

function parseText(text: string, reviver?: Reviver): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    throw new JsonFault('syntax', 'JSON decode error');
  }
}
