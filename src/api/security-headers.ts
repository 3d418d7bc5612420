import { Elysia } from 'elysia';
import type { Deps } from '../core/deps.ts';

/** What the OWASP REST and HTTP headers cheat sheets ask of an API that has no pages. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

/** Two years, as browsers' preload lists ask. */
const HSTS = { 'strict-transport-security': 'max-age=63072000; includeSubDomains' };

/** Gives every answer its security headers, unless it has its own. */
export const securityHeaders = ({ config }: Pick<Deps, 'config'>) => {
  const isHttps = config.publicUrl.startsWith('https:');
  return new Elysia({ name: 'hutch-security-headers' }).headers({
    ...HEADERS,
    ...(isHttps && HSTS),
  });
};
