import type { OutboundOptions } from '../../../src/core/outbound/client.ts';
import type { OutboundCaching, OutboundRequest } from '../../../src/core/outbound/request.ts';
import { httpUpstream, outboundFor } from './upstream.ts';

/** A source that counts its requests and answers each with their number, unless told otherwise. */
export function cachedSource(
  headers: Record<string, string> = {},
  options: Partial<OutboundOptions> = {},
) {
  const clock = { ms: Date.now() };
  const source = {
    /** The headers of each. */
    requests: [] as Headers[],
    answer: (_request: Request): Response | Promise<Response> =>
      Response.json(source.requests.length, { headers }),
  };
  const { url } = httpUpstream((request) => {
    // Copied now: Bun lets go of a request when it is answered.
    source.requests.push(new Headers(request.headers));
    return source.answer(request);
  });
  const outbound = outboundFor({ now: () => clock.ms, ...options });
  const call = (cache: OutboundCaching = {}, request: Partial<OutboundRequest> = {}) =>
    outbound.call({ url, cache, ...request });
  /** What two calls learn, the second so many seconds after the first. */
  const states = async (cache: OutboundCaching, seconds: number, request = {}) => {
    const first = await call(cache, request);
    clock.ms += seconds * 1_000;
    const second = await call(cache, request);
    return `${first.cache} ${second.cache}`;
  };
  return { source, clock, url, outbound, call, states };
}
