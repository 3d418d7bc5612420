import { Resolver, setServers } from 'node:dns';
import { statSync } from 'node:fs';
import { KeyedLimiter } from '../../utils/async/keyed-limiter.ts';

/** On whose behalf a name is looked up, and what ends the wait for it. */
export interface Asking {
  readonly owner?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Answers = readonly { readonly address: string }[];

/** Resolves a host name to all its addresses, the best first; rejects when it has none. */
export type Lookup = (hostname: string, asking?: Asking) => Promise<Answers>;

/** A lookup that nobody answers lives for up to 31 seconds and holds about 80 KB. */
const MAX_LOOKUPS = 1_024;
const MAX_QUEUED = 1_024;
/** One owner alone has 114 lookups at once; it takes about 50 to have them all. */
const OWNER_SHARE = 1 / 8;
const RESOLV_CONF = '/etc/resolv.conf';
const RECHECK_MS = 1_000;

/**
 * Looks names up without Bun's thread pool, on which passwords are hashed and files are read. A
 * lookup cannot be cancelled: it counts until it ends, though nobody may wait for it by then.
 * Owners share the lookups that run at once fairly, so one whose names have no answer holds up
 * nobody else. Those who ask for a name at once share one lookup. Throws QueueFullError, the
 * reason of an aborted signal, or what `resolve` throws.
 */
export function createLookup(
  resolve: (hostname: string) => Promise<Answers> = systemResolve(),
): Lookup {
  const limiter = new KeyedLimiter({
    maxTotal: MAX_LOOKUPS,
    maxPerKey: MAX_LOOKUPS,
    maxQueued: MAX_QUEUED,
    ownerShare: OWNER_SHARE,
  });
  const flights = new Map<string, Promise<Answers>>();
  const begin = (hostname: string, release: () => void) => {
    const flight = resolve(hostname).finally(() => {
      flights.delete(hostname);
      release();
    });
    flights.set(hostname, flight);
    return flight;
  };
  return async (hostname, asking = {}) => {
    const known = flights.get(hostname);
    if (known) return known;
    const release = await limiter.acquire(hostname, asking);
    const begun = flights.get(hostname);
    if (!begun) return begin(hostname, release);
    release();
    return begun;
  };
}

/** c-ares, with /etc/hosts and the search domains; macOS has a resolver of its own that waits on no pool. */
function systemResolve(): (hostname: string) => Promise<Answers> {
  const refresh = createServerRefresh();
  const backend = process.platform === 'darwin' ? 'system' : 'c-ares';
  return async (hostname) => {
    refresh();
    return Bun.dns.lookup(hostname, { backend });
  };
}

/**
 * Returns a function that adopts the name servers of a changed resolv.conf: c-ares reads the file
 * once, and a server that changes networks would ask the old ones for ever.
 */
function createServerRefresh(): () => void {
  let checkedMs = Number.NEGATIVE_INFINITY;
  let version = versionOf(RESOLV_CONF);
  return () => {
    if (performance.now() - checkedMs < RECHECK_MS) return;
    checkedMs = performance.now();
    const found = versionOf(RESOLV_CONF);
    if (found === version) return;
    version = found;
    const servers = new Resolver().getServers();
    if (servers.length > 0) setServers(servers);
  };
}

function versionOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
