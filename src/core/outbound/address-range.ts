import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** The prefix in which a NAT64 embeds IPv4 addresses (RFC 6052), with its length in bits. */
export type Nat64Prefix = readonly [network: ipaddr.IPv6, bits: number];

const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Ranges that the registries list as public, but that internal services of a cloud use: the platform
 * services of Azure (168.63.129.16) and the service networks of IBM Cloud.
 */
const CLOUD_SERVICES = ['168.63.129.16/32', '161.26.0.0/16', '166.8.0.0/14'].map((range) =>
  ipaddr.IPv4.parseCIDR(range),
);

/** The IPv4 addresses of ipv4only.arpa, which reveal the prefix of a NAT64 (RFC 7050). */
const IPV4_ONLY: ReadonlySet<string> = new Set(['192.0.0.170', '192.0.0.171']);
/** The permitted prefix lengths, and the bytes that contain the IPv4 address (RFC 6052, 2.2). */
const EMBEDDED_BYTES: ReadonlyMap<number, readonly number[]> = new Map([
  [96, [12, 13, 14, 15]],
  [64, [9, 10, 11, 12]],
  [56, [7, 9, 10, 11]],
  [48, [6, 7, 9, 10]],
  [40, [5, 6, 7, 9]],
  [32, [4, 5, 6, 7]],
]);

/** The result of checking an address. */
export interface AddressCheck {
  /** The canonical form; undefined if the text is not an address. */
  readonly canonical: string | undefined;
  readonly isPublic: boolean;
}

/** Parsing an address takes half as long as all other checks of a call. */
const checked = new LRUCache<string, AddressCheck>({ max: 4_096 });

/** Checks an address as `isPublicAddress` does, and memoises the result. */
export function checkAddress(address: string, nat64: readonly Nat64Prefix[] = []): AddressCheck {
  if (nat64.length > 0 && address.includes(':')) return check(address, nat64);
  const known = checked.get(address);
  if (known) return known;
  const result = check(address, []);
  checked.set(address, result);
  return result;
}

/**
 * Returns true if an IP address is on the public internet: not in an IANA special-purpose registry
 * and not an internal service of a cloud. In a prefix of this network's NAT64 (`nat64`) the embedded
 * IPv4 address decides, as it does for IPv4-mapped addresses; no other form that embeds one is public.
 */
export function isPublicAddress(address: string, nat64: readonly Nat64Prefix[] = []): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip: Address = ipaddr.process(address);
  if (ip instanceof ipaddr.IPv4) return isPublicIPv4(ip);
  const prefixes = nat64.filter(([network, bits]) => ip.match(network, bits));
  if (prefixes.length > 0) return prefixes.every(([, bits]) => isPublicIPv4(embeddedIn(ip, bits)));
  // ipaddr.js reports ::7f00:1 and unassigned IPv6 space as unicast; only 2000::/3 is routed.
  return ip.range() === 'unicast' && ip.match(GLOBAL_IPV6) && !isIsatap(ip);
}

/** Returns the prefixes of this network's NAT64, derived from the IPv6 addresses of ipv4only.arpa. */
export function nat64PrefixesIn(addresses: readonly string[]): Nat64Prefix[] {
  const synthesized = addresses
    .filter((it) => ipaddr.IPv6.isValid(it))
    .map((it) => ipaddr.IPv6.parse(it));
  return synthesized.flatMap((ip) =>
    [...EMBEDDED_BYTES.keys()]
      .filter((bits) => IPV4_ONLY.has(embeddedIn(ip, bits).toString()))
      .map((bits): Nat64Prefix => [ip, bits]),
  );
}

function check(address: string, nat64: readonly Nat64Prefix[]): AddressCheck {
  const canonical = ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined;
  return { canonical, isPublic: isPublicAddress(address, nat64) };
}

function isPublicIPv4(ip: ipaddr.IPv4): boolean {
  return ip.range() === 'unicast' && !CLOUD_SERVICES.some((range) => ip.match(range));
}

function embeddedIn(ip: ipaddr.IPv6, bits: number): ipaddr.IPv4 {
  const bytes = ip.toByteArray();
  return new ipaddr.IPv4((EMBEDDED_BYTES.get(bits) ?? []).map((index) => bytes[index] ?? 0));
}

/** Returns true for ISATAP addresses of any prefix, which tunnel to the IPv4 address in their last bytes. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  const [high = 0, low] = parts.slice(4);
  return (high & ~0x200) === 0 && low === 0x5efe;
}
