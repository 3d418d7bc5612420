import { Elysia } from 'elysia';
import { LRUCache } from 'lru-cache';

/** These stand in for the host of a request that names none, or none that can be read. */
const NO_HOST = 'http://unnamed.invalid';
const MALFORMED_HOST = 'http://malformed.invalid';
/** Longest name of a host, with its port. */
const MAX_KEPT_LENGTH = 260;

/**
 * Gives every request an absolute URL before anything reads it; Bun leaves it relative where the
 * Host header names no host. HTTP/1.0 needs no Host, so such a request is served.
 */
export const requestTarget = () =>
  new Elysia({ name: 'hutch-request-target' }).wrap((next, request: Request) => {
    const { url } = request;
    if (!url.startsWith('/')) return next;
    const origin = request.headers.get('host') ? MALFORMED_HOST : NO_HOST;
    // On this very object: Bun knows its connection, and would not know that of a copy.
    Object.defineProperty(request, 'url', { value: new URL(origin + url).href });
    return next;
  });

/** Whether the Host header of a request names no host, though it is there (RFC 9112, 3.2). */
export function hasMalformedHost({ url, headers }: Request): boolean {
  return url.startsWith(MALFORMED_HOST) || !isHost(headers.get('host') ?? '');
}

/** Parsing a host costs more than the rest of the check; nearly all requests name the same one. */
const known = new LRUCache<string, boolean>({ max: 64 });

/** Whether a text is a host with an optional port, or empty. Programs differ on what % means. */
function isHost(text: string): boolean {
  if (text === '') return true;
  const before = known.get(text);
  if (before !== undefined) return before;
  const is = !text.includes('%') && URL.canParse(`http://${text}/`);
  if (text.length <= MAX_KEPT_LENGTH) known.set(text, is);
  return is;
}
