import { Elysia } from 'elysia';
import type { Config } from '../../core/config/config.ts';
import type { Deps } from '../../core/deps.ts';

/** The headers that the OWASP REST and HTTP headers cheat sheets require of an API without pages. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
};

/** Two years, as browsers' preload lists require. */
const HSTS = { 'strict-transport-security': 'max-age=63072000; includeSubDomains' };

/** Returns the security headers of every response under these settings. */
export function securityHeaders({ publicUrl }: Config): Record<string, string> {
  return { ...HEADERS, ...(publicUrl.startsWith('https:') && HSTS) };
}

/** Adds the security headers to every response that does not set its own. */
export const secureHeaders = ({ config }: Pick<Deps, 'config'>) =>
  new Elysia({ name: 'hutch-security-headers' }).headers(securityHeaders(config));
