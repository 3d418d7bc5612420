import type { TSchema } from '@sinclair/typebox';
import type { AnyElysia, DocumentDecoration } from 'elysia';
import { AppError, StartupError } from '../../core/exceptions.ts';
import type { Scope } from '../../schemas/accounts/accounts.ts';
import type { SentHeader } from '../openapi/headers.ts';
import type { BodyDeclaration } from '../request/body-rules.ts';

/**
 * Who may call a route. `optional`: anyone, and a signed-in caller may see more; a wrong
 * Authorization header is refused all the same, and a cookie whose session has ended is cleared. `sign-up`: anyone while registration is open, else admins.
 */
export type Access = 'public' | 'optional' | 'user' | 'admin' | 'sign-up';

/** The scope that a route asks of a personal access token; `*` where the route itself decides. */
export type TokenScope = Scope | '*';

/** Everything that a route declares about itself, in its `detail`. */
export interface RouteDeclaration {
  access: Access;
  /** Personal access tokens are refused on a route without a scope. */
  scope?: TokenScope | undefined;
  /** Whether the handler takes an account: an open route would have none. See groups.ts. */
  needsAccount?: boolean;
  /** Whether an admin may call it whose session has not proved a second factor yet. */
  isBeforeSecondFactor?: boolean;
  /** Serves whoever watches the process: no limit or Host check refuses it. */
  isProbe?: boolean;
  /** Headers that the route sends by itself when it succeeds, for the document. */
  sends?: SentHeader[];
  body?: BodyDeclaration;
  /** Media types of a successful response that is not JSON. */
  responseTypes?: readonly string[];
  /** Whether the route honours an Idempotency-Key. */
  takesKey?: boolean;
  /** The schema of a response to a query with `fields`, which has a media type of its own. */
  sparse?: TSchema;
}

declare module 'elysia' {
  interface DocumentDecoration extends RouteDeclaration {}
}

const declare = (access: Access, scope: TokenScope | undefined, id: string, summary: string) => ({
  access,
  scope,
  operationId: id,
  summary,
});

/** The `detail` of a route that anyone may call. */
export const publicRoute = (id: string, summary: string) =>
  declare('public', undefined, id, summary);

/** The `detail` of a route that anyone may call and that shows more to a signed-in caller. */
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

/** Who may call a route, once it is known whether registration is open. */
export type Level = Exclude<Access, 'sign-up'>;

/** The level that a declared access means under the setting HUTCH_REGISTRATION. */
export function levelOf(access: Access, registration: 'open' | 'closed'): Level {
  if (access !== 'sign-up') return access;
  return registration === 'open' ? 'public' : 'admin';
}

/**
 * Throws StartupError, with their names, if some routes of `app` declare no access, or are open
 * although their handlers need an account.
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
  throw new StartupError(`These routes ${fault} (see api/access-rules.ts): ${names}`);
}

export function unauthenticated(message = 'Could not validate credentials'): AppError {
  return new AppError('unauthenticated', message);
}
