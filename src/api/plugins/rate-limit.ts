import { type AnyElysia, Elysia } from 'elysia';
import { networkOf } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import type { Count, Limit } from '../../core/limits.ts';
import { isUnder } from '../../utils/http/url.ts';
import { type Behind, createClientNetwork } from '../request/origin.ts';
import type { ResponseSet } from '../responses/response-set.ts';
import { createIsProbe } from './routes.ts';

/**
 * Limits the requests of each network: too_many_requests, before anything is done for them.
 * v2 answers tell how much is left. A probe is never refused. Without limits,
 * it is not there at all; without a connection, as in a test, there is nobody to count.
 */
export const rateLimit = (deps: Pick<Deps, 'limits' | 'config'>, app: () => AnyElysia) => {
  const plugin = new Elysia({ name: 'hutch-rate-limit' });
  const limit = deps.limits?.requests;
  if (!limit) return plugin;
  const networkFor = createClientNetwork(deps);
  const isProbe = createIsProbe(app);
  const count = (request: Request) => {
    // Not through the context: naming the server there costs every route a property.
    const peer = app().server?.requestIP(request)?.address;
    return peer === undefined ? undefined : limit.count(networkFor(peer, request));
  };
  const judge = (request: Request, set: ResponseSet, counted: Count | undefined) => {
    if (counted === undefined) return;
    if (isV2(request)) setLimitHeaders(limit, counted, set);
    if (counted.isOver && !isProbe(request)) refuse(limit, counted, set);
  };
  // To wait costs each request 1 µs: only where there is something to wait for.
  return limit.isLocal
    ? plugin.onRequest(({ request, set }) => judge(request, set, count(request) as Count))
    : plugin.onRequest(async ({ request, set }) => judge(request, set, await count(request)));
};

/** Counts a request of the account `id`. Throws too_many_requests. */
type CountUser = (id: number, request: Request, set: ResponseSet) => void | Promise<void>;

/**
 * Limits the requests of each account, from wherever they come: too_many_requests. v2 answers
 * tell of the tighter of the two limits. Gives nothing to wait for where counts are local.
 */
export function createUserLimit({ limits }: Pick<Deps, 'limits'>): CountUser {
  const limit = limits?.userRequests;
  if (!limit) return () => {};
  const judge = (counted: Count, request: Request, set: ResponseSet) => {
    if (counted.isOver) refuse(limit, counted, set);
    if (isV2(request) && counted.remaining < sentRemaining(set))
      setLimitHeaders(limit, counted, set);
  };
  return (id, request, set) => {
    const counted = limit.count(String(id));
    if (counted instanceof Promise) return counted.then((it) => judge(it, request, set));
    return judge(counted, request, set);
  };
}

/**
 * Counts one, or as many as `points`, against one limit of a route. Throws too_many_requests. No
 * limit, no key: no count.
 */
async function countAgainst(
  limit: Limit | undefined,
  key: string | null,
  set: ResponseSet,
  points = 1,
): Promise<void> {
  if (!limit || key === null) return;
  const count = await limit.count(key, points);
  if (count.isOver) refuse(limit, count, set);
}

/** Counts a sign-up of the network of `address`, before its work. Throws too_many_requests. */
export function countSignUp(
  { limits, config }: Pick<Deps, 'limits' | 'config'>,
  address: string | null,
  set: ResponseSet,
): Promise<void> {
  // Closed registration leaves it to admins, who are known.
  const limit = config.registration === 'open' ? limits?.signUps : undefined;
  return countAgainst(limit, address && networkOf(address), set);
}

/**
 * Gives what counts outside calls, of the account `id` or else of the network that asks, before
 * they are made. Throws too_many_requests.
 */
export function createExternalLimit(deps: Pick<Deps, 'limits' | 'config'>) {
  const limit = deps.limits?.external;
  const networkFor = createClientNetwork(deps);
  return async ({ request, server, set }: Behind, id: number | null, calls = 1) => {
    if (!limit) return;
    const peer = id === null ? server?.requestIP(request)?.address : undefined;
    const key = peer === undefined ? (id?.toString() ?? null) : networkFor(peer, request);
    await countAgainst(limit, key, set, calls);
  };
}

function isV2({ url }: Request): boolean {
  return isUnder(url, '/api/v2/');
}

/** What the answer says by now; the network is not counted without a connection. */
function sentRemaining({ headers }: ResponseSet): number {
  const [, remaining = Number.POSITIVE_INFINITY] =
    /;r=(\d+)/.exec(String(headers['ratelimit'])) ?? [];
  return Number(remaining);
}

function refuse(limit: Limit, count: Count, set: ResponseSet): never {
  setLimitHeaders(limit, count, set);
  const retryAfterSeconds = count.resetSeconds;
  throw new AppError('too_many_requests', 'Too many requests, try again later', {
    retryAfterSeconds,
  });
}

/** draft-ietf-httpapi-ratelimit-headers: quota and window, what remains and until when. */
function setLimitHeaders(
  { name, max, windowSeconds }: Limit,
  count: Count,
  { headers }: ResponseSet,
): void {
  headers['ratelimit-policy'] = `"${name}";q=${max};w=${windowSeconds}`;
  headers['ratelimit'] = `"${name}";r=${count.remaining};t=${count.resetSeconds}`;
}
