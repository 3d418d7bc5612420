import { Elysia } from 'elysia';
import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import { createEarlyRefusal } from './early-refusal.ts';

/** Stands in for the host of a request that names none; it is no host of this machine. */
const NO_HOST = 'http://unnamed.invalid';

/**
 * Gives every request an absolute URL before anything reads it; Bun leaves it relative where the
 * Host header names no host. HTTP/1.0 needs no Host, so such a request is served; a malformed one
 * is refused: malformed_request (RFC 9112, 3.2).
 */
export const requestTarget = (deps: Pick<Deps, 'config' | 'lifecycle'>) => {
  const error = new AppError('malformed_request', 'The Host header names no host');
  const refuse = createEarlyRefusal(error, deps);
  return new Elysia({ name: 'hutch-request-target' }).wrap((next, request: Request) => {
    if (!request.url.startsWith('/')) return next;
    const { href } = new URL(NO_HOST + request.url);
    // On this very object: Bun knows its connection, and would not know that of a copy.
    Object.defineProperty(request, 'url', { value: href });
    return request.headers.get('host') ? refuse : next;
  });
};
