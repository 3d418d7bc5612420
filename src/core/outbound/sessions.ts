import { LRUCache } from 'lru-cache';
import type { Target } from './address.ts';

// Bun has at most 60 TLS contexts, one per server name, and 64 idle connections in total.
const MAX_SESSIONS = { 'https:': 60, 'http:': 64 };
const IDLE_SECONDS = 15;

export interface Sessions {
  /** Returns the session that connects to the target's origin and verifies its name, never through a proxy. */
  for(target: Target): Bun.FetchSession;
  /** Closes the idle connections of all origins. */
  close(): void;
}

/**
 * Creates keep-alive pools, one per origin. Bun pools connections by address, so a shared pool could
 * reuse one plain connection for two hosts on the same address, and one could respond for the other.
 * `ca`: PEM certificates to trust instead of the system's.
 */
export function createSessions(maxIdleSockets: number, ca: string | undefined): Sessions {
  const pools = { 'https:': createPool('https:'), 'http:': createPool('http:') };
  const open = ({ protocol, isLiteral, hostname }: Target) => {
    const tls = {
      // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 cannot disable it.
      rejectUnauthorized: true,
      ...(isLiteral ? {} : { serverName: hostname }),
      ...(ca === undefined ? {} : { ca }),
    };
    return new Bun.FetchSession({
      proxy: false,
      keepAlive: { idleTimeout: IDLE_SECONDS, maxIdleSockets },
      ...(protocol === 'https:' ? { tls } : {}),
    });
  };
  return {
    for: (target) => {
      const origin = `${target.protocol}//${target.host}`;
      const pool = pools[target.protocol];
      const known = pool.get(origin);
      if (known) return known;
      const session = open(target);
      pool.set(origin, session);
      return session;
    },
    close: () => {
      for (const pool of Object.values(pools)) pool.clear();
    },
  };
}

function createPool(protocol: Target['protocol']) {
  const dispose = (session: Bun.FetchSession) => session.close();
  return new LRUCache<string, Bun.FetchSession>({ max: MAX_SESSIONS[protocol], dispose });
}
