import { LRUCache } from 'lru-cache';
import type { Target } from './address.ts';

// Bun keeps at most 60 TLS contexts, one for each server name.
const MAX_SESSIONS = 60;
const IDLE_SECONDS = 15;

/**
 * Keep-alive pools, one for each origin. Bun pools by address, so one pool for all would send
 * two hosts on one address down the same plain connection, where one could answer the other.
 */
export class HttpSessions {
  readonly #sessions = new LRUCache<string, Bun.FetchSession>({
    max: MAX_SESSIONS,
    dispose: (session) => session.close(),
  });
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
    const known = this.#sessions.get(origin);
    if (known) return known;
    const session = this.#open(target);
    this.#sessions.set(origin, session);
    return session;
  }

  /** Closes the idle connections of all origins. */
  close(): void {
    this.#sessions.clear();
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
