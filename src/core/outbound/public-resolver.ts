import { withLimit } from '../../utils/async/abort.ts';
import { QueueFullError } from '../../utils/async/keyed-limiter.ts';
import { MINUTE_MS } from '../../utils/time/units.ts';
import type { Target } from './address.ts';
import { checkAddress, type Nat64Prefix, nat64PrefixesIn } from './address-range.ts';
import { OutboundError } from './errors.ts';
import type { Lookup, LookupOptions } from './lookup.ts';

/**
 * Resolves a target to canonical IP addresses that may be connected to, in order of preference.
 * Throws dns_failed, overloaded, or address_refused if any address is not public: a name that mixes
 * both is an attack or a mistake. An allow-listed host may have any address.
 */
export type PublicResolver = (target: Target, options?: LookupOptions) => Promise<string[]>;

const NAT64_NAME = 'ipv4only.arpa';
/** The discovered prefixes are cached for this time. */
const NAT64_MS = MINUTE_MS;
/** A resolver that synthesizes addresses answers immediately. */
const NAT64_TIMEOUT_MS = 2_000;

export function createPublicResolver(lookup: Lookup): PublicResolver {
  const nat64 = createNat64(lookup);
  return async (target, options) => {
    const addresses = target.isLiteral
      ? [target.hostname.replace(/^\[|\]$/g, '')]
      : await lookupAll(target, lookup, options);
    const mayBeNat64 = !target.isAllowListed && addresses.some((it) => it.includes(':'));
    const prefixes = mayBeNat64 ? await nat64() : [];
    return addresses.map((address) => {
      const { canonical, isPublic } = checkAddress(address, prefixes);
      if (canonical !== undefined && (isPublic || target.isAllowListed)) return canonical;
      throw new OutboundError('address_refused', `${target.host} is not a public address`);
    });
  };
}

async function lookupAll(
  target: Target,
  lookup: Lookup,
  options?: LookupOptions,
): Promise<string[]> {
  const { host, hostname } = target;
  const answers = await lookup(hostname, options).catch((cause: unknown) => {
    if (cause instanceof QueueFullError) {
      throw new OutboundError('overloaded', `Too many calls wait; ${host} was not called`);
    }
    throw new OutboundError('dns_failed', `${host} cannot be resolved`, { cause });
  });
  if (answers.length > 0) return answers.map(({ address }) => address);
  throw new OutboundError('dns_failed', `${host} cannot be resolved`);
}

/** Returns a function that discovers the NAT64 prefixes of this network (RFC 7050). */
function createNat64(lookup: Lookup): () => Promise<readonly Nat64Prefix[]> {
  let untilMs = Number.NEGATIVE_INFINITY;
  let latest: Promise<readonly Nat64Prefix[]> = Promise.resolve([]);
  const limit = { timeoutMs: NAT64_TIMEOUT_MS, onTimeout: () => new Error('No answer') };
  const discover = async (known: typeof latest) => {
    try {
      const answers = await withLimit(limit, () => lookup(NAT64_NAME, { owner: NAT64_NAME }));
      return nat64PrefixesIn(answers.map(({ address }) => address));
    } catch {
      return known;
    }
  };
  return () => {
    const nowMs = performance.now();
    if (nowMs < untilMs) return latest;
    untilMs = nowMs + NAT64_MS;
    latest = discover(latest);
    return latest;
  };
}
