import ipaddr from 'ipaddr.js';

/** Where the walk through X-Forwarded-For ended. */
export interface ClientAddress {
  address: string;
  /** The entry of a trusted proxy that is no address, if that is why the walk ended. */
  unreadable?: string;
}

/**
 * The address of the client: the peer's, unless the peer is a trusted proxy. Then
 * X-Forwarded-For is walked from the right, past trusted proxies, to the first other address:
 * what stands left of that the client may have written itself.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | null,
  trusted: readonly string[],
): string {
  return findClient(peer, forwardedFor, trusted).address;
}

/** As `clientAddress`, and says which entry of a trusted proxy could not be read. */
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

/** What a limit counts by: an IPv4 address, or the /64 that one IPv6 customer has. */
export function networkOf(text: string): string {
  const address = addressIn(text);
  if (address === undefined) return text;
  if (!address.includes(':')) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`;
}

/** A list may have empty elements, which count for nothing (RFC 9110, 5.6.1). */
function entriesOf(forwardedFor: string | null): string[] {
  const entries = forwardedFor?.split(',').map((entry) => entry.trim()) ?? [];
  return entries.filter((entry) => entry !== '');
}

/** An address in brackets, or an IPv4 one; each perhaps with a port, and perhaps in quotes. */
const BRACKETED = /^"?\[([^\]]+)\](?::\d{1,5})?"?$/;
const WITH_PORT = /^"?([\d.]+)(?::\d{1,5})?"?$/;

/**
 * The address that a text names, in one spelling: without port, brackets and zone, and an
 * IPv4-mapped one as the IPv4 one. IPv4 is read as four decimal parts alone: `010.0.0.1` and
 * `2130706433` are read differently by different programs.
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

/** A network, or an address as the network of itself; an IPv4-mapped one as the IPv4 one. */
function networkIn(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [base, bits] = ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${fullBits(text)}`);
  const isMapped = base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? [base.toIPv4Address(), bits - 96] : [base, bits];
}

function fullBits(address: string): number {
  return address.includes(':') ? 128 : 32;
}
