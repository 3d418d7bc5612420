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
 * Limits the requests of each network with too_many_requests, before any work. Responses of v2 show
 * how many remain. Probes are never refused. Does nothing without limits, and counts nothing without
 * a connection, as in a test.
 */
export const rateLimit = (deps: Pick<Deps, 'limits' | 'config'>, app: () => AnyElysia) => {
  const plugin = new Elysia({ name: 'hutch-rate-limit' });
  const limit = deps.limits?.requests;
  if (!limit) return plugin;
  const networkFor = createClientNetwork(deps);
  const isProbe = createIsProbe(app);
  const count = (request: Request) => {
    // Not through the context, where naming the server costs every route a property.
    const peer = app().server?.requestIP(request)?.address;
    return peer === undefined ? undefined : limit.count(networkFor(peer, request));
  };
  const check = (request: Request, set: ResponseSet, counted: Count | undefined) => {
    if (counted === undefined) return;
    if (isV2(request)) setLimitHeaders(limit, counted, set);
    if (counted.isOver && !isProbe(request)) refuse(limit, counted, set);
  };
  // Awaiting costs each request 1 µs, so only a remote limit does.
  return limit.isLocal
    ? plugin.onRequest(({ request, set }) => check(request, set, count(request) as Count))
    : plugin.onRequest(async ({ request, set }) => check(request, set, await count(request)));
};

/** Counts a request of the account `id`. Throws too_many_requests. */
type CountUser = (id: number, request: Request, set: ResponseSet) => void | Promise<void>;

/**
 * Returns a function that limits the requests of each account, from all networks together. Responses
 * of v2 show the tighter of the two limits. It returns a promise only if the limit is remote.
 */
export function createUserLimit({ limits }: Pick<Deps, 'limits'>): CountUser {
  const limit = limits?.userRequests;
  if (!limit) return () => {};
  const check = (counted: Count, request: Request, set: ResponseSet) => {
    if (counted.isOver) refuse(limit, counted, set);
    if (isV2(request) && counted.remaining < sentRemaining(set))
      setLimitHeaders(limit, counted, set);
  };
  return (id, request, set) => {
    const counted = limit.count(String(id));
    if (counted instanceof Promise) return counted.then((it) => check(it, request, set));
    return check(counted, request, set);
  };
}

/**
 * Adds `points` to the count of a key. Throws too_many_requests. Does nothing without a limit or a key.
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

/** Counts a sign-up from the network of `address`, before its work. Throws too_many_requests. */
export function countSignUp(
  { limits, config }: Pick<Deps, 'limits' | 'config'>,
  address: string | null,
  set: ResponseSet,
): Promise<void> {
  // While registration is closed only admins create accounts.
  const limit = config.registration === 'open' ? limits?.signUps : undefined;
  return countAgainst(limit, address && networkOf(address), set);
}

/**
 * Returns a function that counts outside calls before they are sent, for the account `id` or
 * otherwise for the client's network. Throws too_many_requests.
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

/** The remaining requests that the response already shows; infinite if it shows none. */
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

/** Sets quota, window, remaining requests and reset time (draft-ietf-httpapi-ratelimit-headers). */
function setLimitHeaders(
  { name, max, windowSeconds }: Limit,
  count: Count,
  { headers }: ResponseSet,
): void {
  headers['ratelimit-policy'] = `"${name}";q=${max};w=${windowSeconds}`;
  headers['ratelimit'] = `"${name}";r=${count.remaining};t=${count.resetSeconds}`;
}
