import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** The network in which a NAT64 embeds IPv4 addresses (RFC 6052), with its length in bits. */
export type Nat64Prefix = readonly [network: ipaddr.IPv6, bits: number];

const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Ranges that the registries call public though a cloud answers there from inside: the platform
 * services of Azure (168.63.129.16) and the service networks of IBM Cloud.
 */
const CLOUD_SERVICES = ['168.63.129.16/32', '161.26.0.0/16', '166.8.0.0/14'].map((range) =>
  ipaddr.IPv4.parseCIDR(range),
);

/** The IPv4 addresses of ipv4only.arpa, which show a NAT64's prefix (RFC 7050). */
const IPV4_ONLY: ReadonlySet<string> = new Set(['192.0.0.170', '192.0.0.171']);
/** Lengths that a prefix may have, and the bytes that hold the IPv4 address (RFC 6052, 2.2). */
const EMBEDDED_BYTES: ReadonlyMap<number, readonly number[]> = new Map([
  [96, [12, 13, 14, 15]],
  [64, [9, 10, 11, 12]],
  [56, [7, 9, 10, 11]],
  [48, [6, 7, 9, 10]],
  [40, [5, 6, 7, 9]],
  [32, [4, 5, 6, 7]],
]);

/** An address and whether it may be dialled. */
export interface Judgement {
  /** Its canonical spelling; undefined for what is no address. */
  readonly plain: string | undefined;
  readonly isPublic: boolean;
}

/** Parsing an address costs a call as much as half of its other checks. */
const judged = new LRUCache<string, Judgement>({ max: 4_096 });

/** Judges an address as `isPublicAddress` does. */
export function judgeAddress(address: string, nat64: readonly Nat64Prefix[] = []): Judgement {
  if (nat64.length > 0 && address.includes(':')) return judge(address, nat64);
  const known = judged.get(address);
  if (known) return known;
  const judgement = judge(address, []);
  judged.set(address, judgement);
  return judgement;
}

/**
 * Whether an IP address is on the public internet: by the IANA special-purpose registries, and
 * no service inside a cloud. Behind a NAT64 of this network (`nat64`) an address is as public as
 * the IPv4 address in it; no other form that embeds one is public, but for IPv4-mapped ones.
 */
export function isPublicAddress(address: string, nat64: readonly Nat64Prefix[] = []): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip: Address = ipaddr.process(address);
  if (ip instanceof ipaddr.IPv4) return isPublicIPv4(ip);
  const around = nat64.filter(([network, bits]) => ip.match(network, bits));
  if (around.length > 0) return around.every(([, bits]) => isPublicIPv4(embeddedIn(ip, bits)));
  // ipaddr.js calls ::7f00:1 and all unassigned IPv6 space unicast; only 2000::/3 is routed.
  return ip.range() === 'unicast' && ip.match(GLOBAL_IPV6) && !isIsatap(ip);
}

/** The prefixes of this network's NAT64, from the IPv6 addresses that ipv4only.arpa has. */
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

function judge(address: string, nat64: readonly Nat64Prefix[]): Judgement {
  const plain = ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined;
  return { plain, isPublic: isPublicAddress(address, nat64) };
}

function isPublicIPv4(ip: ipaddr.IPv4): boolean {
  return ip.range() === 'unicast' && !CLOUD_SERVICES.some((range) => ip.match(range));
}

function embeddedIn(ip: ipaddr.IPv6, bits: number): ipaddr.IPv4 {
  const bytes = ip.toByteArray();
  return new ipaddr.IPv4((EMBEDDED_BYTES.get(bits) ?? []).map((index) => bytes[index] ?? 0));
}

/** Whether an IPv6 address is a tunnel to the IPv4 address in its end, whatever its prefix. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  const [high = 0, low] = parts.slice(4);
  return (high & ~0x200) === 0 && low === 0x5efe;
}
