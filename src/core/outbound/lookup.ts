import { Resolver, setServers } from 'node:dns';
import { statSync } from 'node:fs';
import { createKeyedLimiter } from '../../utils/async/keyed-limiter.ts';

export interface LookupOptions {
  /** The party that the name is resolved for; owners share the lookups fairly. */
  readonly owner?: string | undefined;
  /** Ends the wait, not the lookup. */
  readonly signal?: AbortSignal | undefined;
}

type Addresses = readonly { readonly address: string }[];

/** Resolves a host name to all its addresses in order of preference; rejects if it has none. */
export type Lookup = (hostname: string, options?: LookupOptions) => Promise<Addresses>;

/** An unanswered lookup lasts up to 31 seconds and uses about 80 KB. */
const MAX_LOOKUPS = 1_024;
const MAX_QUEUED = 1_024;
/** A single owner gets 114 lookups at once; it takes about 50 owners to occupy all. */
const OWNER_SHARE = 1 / 8;
const RESOLV_CONF = '/etc/resolv.conf';
const RECHECK_MS = 1_000;

/**
 * Creates a resolver that does not use Bun's thread pool, which hashes passwords and reads files. A
 * lookup cannot be cancelled: it counts against the limit until it ends, even after its callers have
 * left. Owners share the limit fairly, so unanswered names of one do not delay others. Concurrent
 * callers share the lookup of a name. Throws QueueFullError, the reason of an aborted signal, or the
 * error of `resolve`.
 */
export function createLookup(
  resolve: (hostname: string) => Promise<Addresses> = systemResolve(),
): Lookup {
  const limiter = createKeyedLimiter({
    maxTotal: MAX_LOOKUPS,
    maxPerKey: MAX_LOOKUPS,
    maxQueued: MAX_QUEUED,
    ownerShare: OWNER_SHARE,
  });
  const flights = new Map<string, Promise<Addresses>>();
  const start = (hostname: string, release: () => void) => {
    const flight = resolve(hostname).finally(() => {
      flights.delete(hostname);
      release();
    });
    flights.set(hostname, flight);
    return flight;
  };
  return async (hostname, options = {}) => {
    const known = flights.get(hostname);
    if (known) return known;
    const release = await limiter.acquire(hostname, options);
    const started = flights.get(hostname);
    if (!started) return start(hostname, release);
    release();
    return started;
  };
}

/** Uses c-ares, with /etc/hosts and search domains. The resolver of macOS does not use the pool either. */
function systemResolve(): (hostname: string) => Promise<Addresses> {
  const refresh = createServerRefresh();
  const backend = process.platform === 'darwin' ? 'system' : 'c-ares';
  return async (hostname) => {
    refresh();
    return Bun.dns.lookup(hostname, { backend });
  };
}

/**
 * Returns a function that applies changes of resolv.conf. c-ares reads the file only once, so a
 * machine that changes networks would query the old name servers forever.
 */
function createServerRefresh(): () => void {
  let checkedMs = Number.NEGATIVE_INFINITY;
  let version = versionOf(RESOLV_CONF);
  return () => {
    if (performance.now() - checkedMs < RECHECK_MS) return;
    checkedMs = performance.now();
    const current = versionOf(RESOLV_CONF);
    if (current === version) return;
    version = current;
    const servers = new Resolver().getServers();
    if (servers.length > 0) setServers(servers);
  };
}

function versionOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
