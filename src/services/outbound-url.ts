import { parseAllowList, parsePermitted, type Target } from '../core/outbound/address.ts';
import { isPublicAddress } from '../core/outbound/address-range.ts';
import { OutboundError } from '../core/outbound/errors.ts';

/** The settings that decide which hosts an admin may name. */
export interface HostRules {
  /** Hosts that may be private. */
  allowHosts: readonly string[];
  /** The only hosts that may be called; empty for any. */
  onlyHosts: readonly string[];
}

/**
 * Parses a URL that an admin defines and that is called later. The addresses of a host name are
 * checked at each call. Throws OutboundError: url_refused or address_refused.
 */
export function parseCallable(url: string, { allowHosts, onlyHosts }: HostRules): Target {
  const target = parsePermitted(url, parseAllowList(allowHosts), parseAllowList(onlyHosts));
  const address = target.hostname.replace(/^\[|\]$/g, '');
  if (target.isLiteral && !target.isAllowListed && !isPublicAddress(address)) {
    throw new OutboundError('address_refused', `${target.host} is not a public address`);
  }
  return target;
}
