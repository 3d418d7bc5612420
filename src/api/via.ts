import type { Server } from 'bun';
import { clientAddress } from '../core/client-address.ts';
import type { Deps } from '../core/deps.ts';

/** What a route knows of the connection behind its request. */
export interface Behind {
  request: Request;
  server: Server<unknown> | null;
  set: { headers: Record<string, string | number> };
}

/** Longest User-Agent that is kept with a session. */
const MAX_AGENT = 300;

/** Gives what tells through what a request came, for sessions, limits and the audit log. */
export const createVia =
  ({ config }: Pick<Deps, 'config'>) =>
  ({ request, server, set }: Behind) => ({
    address: addressOf(config, request, server),
    user_agent: request.headers.get('user-agent')?.slice(0, MAX_AGENT) ?? null,
    request_id: String(set.headers['x-request-id'] ?? '') || null,
  });

/** From where a request came; null without a connection. */
export function addressOf(
  { trustedProxies }: Deps['config'],
  request: Request,
  server: Server<unknown> | null,
): string | null {
  const peer = server?.requestIP(request)?.address;
  return peer ? clientAddress(peer, request.headers.get('x-forwarded-for'), trustedProxies) : null;
}
