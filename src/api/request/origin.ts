import type { Server } from 'bun';
import type { Origin } from '../../core/actor.ts';
import { clientAddress } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';

/** The connection behind a request, as a route knows it. */
export interface Behind {
  request: Request;
  server: Server<unknown> | null;
  set: { headers: Record<string, string | number> };
}

/** Longest stored User-Agent, in characters. */
const MAX_AGENT = 300;

/** The origin of a request. Its parts are read when they are first asked for: many routes need none. */
export class RequestOrigin implements Origin {
  readonly request_id: string | null;
  readonly #config: Deps['config'];
  readonly #request: Request;
  readonly #server: Server<unknown> | null;
  #address: string | null | undefined;

  constructor(config: Deps['config'], { request, server, set }: Behind) {
    this.#config = config;
    this.#request = request;
    this.#server = server;
    this.request_id = String(set.headers['x-request-id'] ?? '') || null;
  }

  get address(): string | null {
    if (this.#address === undefined) this.keepAddress();
    return this.#address ?? null;
  }

  /** Reads the address now: it is gone once the client has hung up. */
  keepAddress(): void {
    this.#address = addressOf(this.#config, this.#request, this.#server);
  }

  get user_agent(): string | null {
    return this.#request.headers.get('user-agent')?.slice(0, MAX_AGENT) ?? null;
  }
}

/** The client's address; null without a connection. */
export function addressOf(
  { trustedProxies }: Deps['config'],
  request: Request,
  server: Server<unknown> | null,
): string | null {
  const peer = server?.requestIP(request)?.address;
  return peer ? clientAddress(peer, request.headers.get('x-forwarded-for'), trustedProxies) : null;
}
