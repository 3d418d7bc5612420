import ipaddr from 'ipaddr.js';

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
  const hops = [...(forwardedFor?.split(',').map((hop) => hop.trim()) ?? []), peer];
  let client = canonical(peer);
  for (const hop of hops.toReversed()) {
    const address = canonical(hop);
    if (address === undefined) break;
    client = address;
    if (!isTrusted(address, trusted)) break;
  }
  return client ?? peer;
}

/** What a limit counts by: an IPv4 address, or the /64 that one IPv6 customer has. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`)}/64`;
}

/** One spelling for one address: an IPv4-mapped one is the IPv4 one. */
function canonical(text: string): string | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

function isTrusted(address: string, trusted: readonly string[]): boolean {
  const parsed = ipaddr.parse(address);
  return trusted.some((network) => {
    const [base, bits] = network.includes('/')
      ? ipaddr.parseCIDR(network)
      : [ipaddr.parse(network), undefined];
    if (base.kind() !== parsed.kind()) return false;
    return parsed.match(base as never, bits ?? (base.kind() === 'ipv4' ? 32 : 128));
  });
}
