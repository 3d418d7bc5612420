import ipaddr from 'ipaddr.js';

/** The client's address, found through X-Forwarded-For. */
export interface ClientAddress {
  address: string;
  /** An entry of a trusted proxy that is not an address, if it ended the search. */
  unreadable?: string;
}

/**
 * Returns the client's address: the peer's, unless the peer is a trusted proxy. Then it is the
 * rightmost address in X-Forwarded-For that is not a trusted proxy: a client can forge everything
 * left of that.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  trusted: readonly string[],
): string {
  return findClient(peer, forwardedFor, trusted).address;
}

/** Does the same as `clientAddress`, and returns the entry of a trusted proxy that is not an address. */
export function findClient(
  peer: string,
  forwardedFor: string | null,
  trusted: readonly string[],
): ClientAddress {
  let address = addressIn(peer);
  if (address === undefined) return { address: peer };
  for (const entry of entriesOf(forwardedFor).toReversed()) {
    if (!isTrusted(address, trusted)) break;
    const next = addressIn(entry);
    if (next === undefined) return { address, unreadable: entry };
    address = next;
  }
  return { address };
}

/** The key of a limit: an IPv4 address, or the /64 of an IPv6 customer. */
export function networkOf(text: string): string {
  const address = addressIn(text);
  if (address === undefined) return text;
  if (!address.includes(':')) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`;
}

/** The entries of a list, without its empty elements (RFC 9110, 5.6.1). */
function entriesOf(forwardedFor: string | null): string[] {
  const entries = forwardedFor?.split(',').map((entry) => entry.trim()) ?? [];
  return entries.filter((entry) => entry !== '');
}

/** An address in brackets or an IPv4 address, with an optional port and optional quotes. */
const BRACKETED = /^"?\[([^\]]+)\](?::\d{1,5})?"?$/;
const WITH_PORT = /^"?([\d.]+)(?::\d{1,5})?"?$/;

/**
 * Parses an address and normalises it: without port, brackets and zone, and IPv4-mapped addresses
 * as IPv4. Accepts only four decimal parts for IPv4: programs disagree about `010.0.0.1` and
 * `2130706433`.
 */
function addressIn(text: string): string | undefined {
  const bare = text.match(BRACKETED)?.[1] ?? text.match(WITH_PORT)?.[1] ?? text;
  const address = bare.replace(/%.*$/, '');
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(address) || ipaddr.IPv6.isValid(address);
  return isAddress ? ipaddr.process(address).toString() : undefined;
}

function isTrusted(address: string, trusted: readonly string[]): boolean {
  const parsed = ipaddr.parse(address);
  return trusted.some((network) => {
    const [base, bits] = networkIn(network);
    return base.kind() === parsed.kind() && parsed.match(base as never, bits);
  });
}

/** Parses a network or a single address. IPv4-mapped networks become IPv4 networks. */
function networkIn(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [base, bits] = ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${fullBits(text)}`);
  const isMapped = base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? [base.toIPv4Address(), bits - 96] : [base, bits];
}

function fullBits(address: string): number {
  return address.includes(':') ? 128 : 32;
}
