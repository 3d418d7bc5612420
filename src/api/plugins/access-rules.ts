import type { TSchema } from '@sinclair/typebox';
import { type AnyElysia, type DocumentDecoration, Elysia, type ElysiaConfig } from 'elysia';
import type { Actor, AnyActor } from '../../core/actor.ts';
import { AppError, StartupError } from '../../core/exceptions.ts';
import type { Scope } from '../../schemas/auth/tokens.ts';
import type { SentHeader } from '../openapi/headers.ts';
import type { BodyDeclaration } from '../request/body-rules.ts';

/**
 * The access level of a route. `optional`: anyone, and a signed-in caller may see more; a wrong
 * Authorization header is still refused, and a cookie whose session has ended is cleared.
 * `sign-up`: anyone while registration is open, otherwise admins.
 */
export type Access = 'public' | 'optional' | 'user' | 'admin' | 'sign-up';

/** The scope that a personal access token needs for a route; `*` if the route itself decides. */
export type TokenScope = Scope | '*';

/** Everything that a route declares about itself, in its `detail`. */
export interface RouteDeclaration {
  access: Access;
  /** Personal access tokens are refused on a route without a scope. */
  scope?: TokenScope | undefined;
  /** True if the handler needs an account, which an open route may not have. */
  needsAccount?: boolean;
  /** True if an admin may call it before their session has proved a second factor. */
  isBeforeSecondFactor?: boolean;
  /** True for a health check: no limit and no Host check refuses it. */
  isProbe?: boolean;
  /** Headers of a successful response that the handler itself sets, for the document. */
  sends?: SentHeader[];
  body?: BodyDeclaration;
  /** Media types of a successful response that is not JSON. */
  responseTypes?: readonly string[];
  /** True if the route honours an Idempotency-Key. */
  takesKey?: boolean;
  /** The schema of a response to a query with `fields`, which has a separate media type. */
  sparse?: TSchema;
}

declare module 'elysia' {
  interface DocumentDecoration extends RouteDeclaration {}
}

/** The `detail` of a route with any access level. */
export const declare = (
  access: Access,
  scope: TokenScope | undefined,
  id: string,
  summary: string,
) => ({
  access,
  scope,
  operationId: id,
  summary,
});

/** The `detail` of a route that anyone may call. */
export const publicRoute = (id: string, summary: string) =>
  declare('public', undefined, id, summary);

/** The `detail` of a route that anyone may call and that shows signed-in callers more. */
export const optionalRoute = (scope: TokenScope | undefined, id: string, summary: string) =>
  declare('optional', scope, id, summary);

/** The `detail` of a route for signed-in callers, and for tokens with `scope`. */
export const userRoute = (scope: TokenScope, id: string, summary: string) =>
  declare('user', scope, id, summary);

/** The `detail` of a route for signed-in callers; it refuses personal access tokens. */
export const sessionRoute = (id: string, summary: string) =>
  declare('user', undefined, id, summary);

/** The `detail` of a route for admins, and for their tokens with the scope `admin`. */
export const adminRoute = (id: string, summary: string) => declare('admin', 'admin', id, summary);

/** The `detail` of a route that creates accounts; it refuses personal access tokens. */
export const signUpRoute = (id: string, summary: string) =>
  declare('sign-up', undefined, id, summary);

/** The `detail` of a route that an admin needs to set up or prove a second factor. */
export const beforeSecondFactor = <T extends object>(detail: T) => ({
  ...detail,
  isBeforeSecondFactor: true,
});

/** An access level, resolved by whether registration is open. */
export type Level = Exclude<Access, 'sign-up'>;

/** Resolves a declared access level under the setting HUTCH_REGISTRATION. */
export function levelOf(access: Access, registration: 'open' | 'closed'): Level {
  if (access !== 'sign-up') return access;
  return registration === 'open' ? 'public' : 'admin';
}

/**
 * Throws StartupError, naming the routes, if any route of `app` declares no access, or is open
 * although its handler needs an account.
 */
export function requireDeclaredAccess(app: AnyElysia): void {
  refuseRoutes(app, 'declare no access', ({ access }) => access === undefined);
  refuseRoutes(
    app,
    'are open but need an account',
    ({ access, needsAccount }) => needsAccount === true && access !== 'user' && access !== 'admin',
  );
}

function refuseRoutes(
  app: AnyElysia,
  fault: string,
  isFaulty: (declared: Partial<DocumentDecoration>) => boolean,
): void {
  const faulty = app.routes.filter(({ hooks }) => isFaulty(hooks.detail ?? {}));
  if (faulty.length === 0) return;
  const names = faulty.map(({ method, path }) => `${method} ${path}`).join(', ');
  throw new StartupError(`These routes ${fault} (see api/plugins/access-rules.ts): ${names}`);
}

export function unauthenticated(message = 'Could not validate credentials'): AppError {
  return new AppError('unauthenticated', message);
}

type Nothing = Record<never, never>;
type Group<Prefix extends string, A> = Elysia<
  Prefix,
  { decorator: { actor: A }; store: Nothing; derive: Nothing; resolve: Nothing }
>;

/** A group of routes that may be open. The access plugin sets `actor` for every route. */
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
