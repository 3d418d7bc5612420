import { LRUCache } from 'lru-cache';
import type { Target } from './address.ts';

// Bun keeps at most 60 TLS contexts, one for each server name, and 64 idle connections in all.
const MAX_SESSIONS = { 'https:': 60, 'http:': 64 };
const IDLE_SECONDS = 15;

/**
 * Keep-alive pools, one for each origin. Bun pools by address, so one pool for all would send
 * two hosts on one address down the same plain connection, where one could answer the other.
 */
export class HttpSessions {
  readonly #sessions = { 'https:': pool('https:'), 'http:': pool('http:') };
  readonly #maxIdleSockets: number;
  readonly #ca: string | undefined;

  /** `ca`: PEM certificates to trust in place of the system's. */
  constructor(maxIdleSockets: number, ca: string | undefined) {
    this.#maxIdleSockets = maxIdleSockets;
    this.#ca = ca;
  }

  /** The session that dials this origin and verifies its name, never through a proxy. */
  for(target: Target): Bun.FetchSession {
    const origin = `${target.protocol}//${target.host}`;
    const sessions = this.#sessions[target.protocol];
    const known = sessions.get(origin);
    if (known) return known;
    const session = this.#open(target);
    sessions.set(origin, session);
    return session;
  }

  /** Closes the idle connections of all origins. */
  close(): void {
    for (const sessions of Object.values(this.#sessions)) sessions.clear();
  }

  #open(target: Target): Bun.FetchSession {
    const tls = {
      // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot switch it off.
      rejectUnauthorized: true,
      ...(target.isLiteral ? {} : { serverName: target.hostname }),
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    };
    return new Bun.FetchSession({
      proxy: false,
      keepAlive: { idleTimeout: IDLE_SECONDS, maxIdleSockets: this.#maxIdleSockets },
      ...(target.protocol === 'https:' ? { tls } : {}),
    });
  }
}

function pool(protocol: Target['protocol']) {
  const dispose = (session: Bun.FetchSession) => session.close();
  return new LRUCache<string, Bun.FetchSession>({ max: MAX_SESSIONS[protocol], dispose });
}
