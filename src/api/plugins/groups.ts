import { Elysia, type ElysiaConfig } from 'elysia';
import type { Actor, AnyActor } from '../../core/actor.ts';
import { unauthenticated } from './access-rules.ts';

type Nothing = Record<never, never>;
type Group<Prefix extends string, A> = Elysia<
  Prefix,
  { decorator: { actor: A }; store: Nothing; derive: Nothing; resolve: Nothing }
>;

/** A group of routes that may be open. `actor` is set by api/access.ts, for every route. */
export const openRoutes = <const Prefix extends string = ''>(config: ElysiaConfig<Prefix>) =>
  new Elysia(config) as unknown as Group<Prefix, AnyActor>;

/** A group of routes for signed-in callers. The app does not start if one of them is open. */
export const accountRoutes = <const Prefix extends string = ''>(config: ElysiaConfig<Prefix>) =>
  new Elysia({
    ...config,
    detail: { needsAccount: true } as NonNullable<ElysiaConfig<Prefix>['detail']>,
  }) as unknown as Group<Prefix, Actor>;

/** The account that calls a route of an open group. Throws unauthenticated. */
export function signedIn(actor: AnyActor): Actor {
  if (actor.id === null) throw unauthenticated();
  return actor;
}
