import { LRUCache } from 'lru-cache';
import { clientAddress, networkOf } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';

/** What is parsed once: enough for the clients of one window. */
const MAX_KEPT = 4096;
/** A longer X-Forwarded-For is none of a usual chain, and is parsed each time. */
const MAX_KEPT_LENGTH = 200;

/** Gives the network that a limit counts a request under, by the rules of origin.ts. */
export const createClientNetwork = ({ config: { trustedProxies } }: Pick<Deps, 'config'>) => {
  const kept = new LRUCache<string, string>({ max: MAX_KEPT });
  return (peer: string, request: Request): string => {
    const forwarded = trustedProxies.length > 0 ? request.headers.get('x-forwarded-for') : null;
    const chain = forwarded === null ? peer : `${peer} ${forwarded}`;
    const known = kept.get(chain);
    if (known !== undefined) return known;
    const network = networkOf(clientAddress(peer, forwarded, trustedProxies));
    if (chain.length <= MAX_KEPT_LENGTH) kept.set(chain, network);
    return network;
  };
};
