import type { Server } from 'bun';
import { type AnyElysia, Elysia } from 'elysia';
import { LRUCache } from 'lru-cache';
import type { Origin } from '../../core/actor.ts';
import { clientAddress, findClient, networkOf } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';

/** The connection of a request, as a route sees it. */
export interface Behind {
  request: Request;
  server: Server<unknown> | null;
  set: { headers: Record<string, string | number> };
}

/** Longest stored User-Agent, in characters. */
const MAX_AGENT = 300;
/** Entries of the cache of networks: enough for the clients of one window of a limit. */
const MAX_NETWORKS = 4096;
/** A longer X-Forwarded-For is unusual and is parsed each time. */
const MAX_CACHED_LENGTH = 200;
/** X-Forwarded-For with only IPv4 addresses, which needs no further check. */
const PLAIN = /^[\d., ]*$/;
/** Logged characters of an entry that is not an address. */
const MAX_LOGGED = 100;

/** The origin of a request. Its parts are read on first use, because many routes need none. */
export class RequestOrigin implements Origin {
  readonly request_id: string | null;
  readonly #config: Deps['config'];
  readonly #request: Request;
  readonly #server: Server<unknown> | null;
  #peer: string | null | undefined;
  #address: string | null | undefined;

  constructor(config: Deps['config'], { request, server, set }: Behind) {
    this.#config = config;
    this.#request = request;
    this.#server = server;
    this.request_id = String(set.headers['x-request-id'] ?? '') || null;
  }

  get address(): string | null {
    this.#address ??= addressFrom(this.#config, this.#request, this.readPeer());
    return this.#address;
  }

  /** Returns the peer's address and remembers it, because it is lost when the client disconnects. */
  readPeer(): string | null {
    this.#peer ??= peerOf(this.#request, this.#server);
    return this.#peer;
  }

  get user_agent(): string | null {
    return this.#request.headers.get('user-agent')?.slice(0, MAX_AGENT) ?? null;
  }
}

/** Returns the client's address; null without a connection. */
export function addressOf(
  config: Deps['config'],
  request: Request,
  server: Server<unknown> | null,
): string | null {
  return addressFrom(config, request, peerOf(request, server));
}

function peerOf(request: Request, server: Server<unknown> | null): string | null {
  return server?.requestIP(request)?.address ?? null;
}

function addressFrom(
  { trustedProxies }: Deps['config'],
  request: Request,
  peer: string | null,
): string | null {
  return peer ? clientAddress(peer, request.headers.get('x-forwarded-for'), trustedProxies) : null;
}

/** Returns a function that maps a request to the network under which limits count it. */
export const createClientNetwork = ({ config: { trustedProxies } }: Pick<Deps, 'config'>) => {
  const networks = new LRUCache<string, string>({ max: MAX_NETWORKS });
  return (peer: string, request: Request): string => {
    const forwarded = trustedProxies.length > 0 ? request.headers.get('x-forwarded-for') : null;
    const chain = forwarded === null ? peer : `${peer} ${forwarded}`;
    const known = networks.get(chain);
    if (known !== undefined) return known;
    const network = networkOf(clientAddress(peer, forwarded, trustedProxies));
    if (chain.length <= MAX_CACHED_LENGTH) networks.set(chain, network);
    return network;
  };
};

/**
 * Warns once if a trusted proxy forwards something that is not an address: all its clients then
 * count as the proxy in limits, sessions and the audit log. Does nothing without trusted proxies.
 */
export const forwardedCheck = (
  { config: { trustedProxies }, log }: Pick<Deps, 'config' | 'log'>,
  app: () => AnyElysia,
) => {
  const plugin = new Elysia({ name: 'hutch-forwarded-check' });
  if (trustedProxies.length === 0) return plugin;
  let hasWarned = false;
  return plugin.onRequest(({ request }) => {
    const forwarded = hasWarned ? null : request.headers.get('x-forwarded-for');
    if (forwarded === null || PLAIN.test(forwarded)) return;
    const peer = app().server?.requestIP(request)?.address;
    const { unreadable } = peer ? findClient(peer, forwarded, trustedProxies) : {};
    if (unreadable === undefined) return;
    hasWarned = true;
    const entry = unreadable.slice(0, MAX_LOGGED);
    log.warn('A trusted proxy forwards for what is no address; its clients count as one.', {
      proxy: peer,
      entry,
    });
  });
};
