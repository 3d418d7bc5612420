import { type AnyElysia, Elysia, NotFoundError } from 'elysia';
import type { AnyActor, Identified, Origin } from '../../core/actor.ts';
import { isAdminFactorRequired } from '../../core/config/accounts.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { RequestOrigin } from '../request/origin.ts';
import { createCoercion, strictQuery } from '../request/parameters.ts';
import { addVary, type ResponseSet } from '../responses/response-set.ts';
import { type Level, levelOf, type TokenScope, unauthenticated } from './access-rules.ts';
import { createSessionCookie, type SessionCookie } from './cookies.ts';
import { versionOf } from './error-forms.ts';
import { createUserLimit } from './rate-limit.ts';
import { findRoute, literalSiblings, type ParameterValues } from './routes.ts';

const accountIds = new WeakMap<Request, number>();

/** Returns the account of a request, even of a refused one; undefined if unknown. */
export function accountIdOf(request: Request): number | undefined {
  return accountIds.get(request);
}

/**
 * Adds the actor to the context, or throws unauthenticated or forbidden, before a request is read or
 * validated. Then throws invalid_query in v2. Must be used before any route is added.
 */
export const access = (deps: Deps, app: () => AnyElysia) => {
  const { auth, config } = deps;
  const cookie = createSessionCookie({ config });
  const identify = createIdentify(auth, cookie);
  const admit = createAdmit(deps, identify, cookie);
  const coerce = createCoercion(app);
  const rules = new Map<string, Rule>();
  const ruleFor = (method: string, route: string) => {
    const name = `${method === 'HEAD' ? 'GET' : method} ${route}`;
    const rule = rules.get(name) ?? ruleOf(app(), method, route, config);
    rules.set(name, rule);
    return rule;
  };
  return new Elysia({ name: 'hutch-access' }).derive(
    { as: 'global' },
    // One hook, because each costs every request. Not async, because a public route waits for nothing.
    ({ request, route, params, query, set }): Acting | Promise<Acting> => {
      coerce({ route, params, query });
      const rule = ruleFor(request.method, route);
      if (rule.siblings.length > 0) refuseSiblings(rule.siblings, params);
      const isAnonymous =
        rule.level === 'public' || (rule.level === 'optional' && !hasCredentials(cookie, request));
      if (rule.isPrivate || !isAnonymous) set.headers['cache-control'] = 'no-store';
      if (rule.level === 'optional') addVary(set, 'Authorization, Cookie');
      const origin = new RequestOrigin(config, { request, server: app().server, set });
      if (rule.isPrivate) origin.readPeer();
      if (!isAnonymous) return admit(rule, request, set, origin);
      rule.refuseQuery?.(request);
      return { actor: anonymous(origin) };
    },
  );
};

/** Returns a check for long-lived responses: does the request still identify the same account and role? */
export const createIdentityCheck = ({ auth, config }: Pick<Deps, 'auth' | 'config'>) => {
  const identify = createIdentify(auth, createSessionCookie({ config }));
  return async ({ id, role }: AnyActor, request: Request): Promise<boolean> => {
    if (id === null) return true;
    // An error counts as no: the caller reconnects and is identified again.
    const known = await identify(request).catch(() => undefined);
    return known?.id === id && known.role === role;
  };
};

/** True if a request has credentials, valid or not. */
function hasCredentials(cookie: SessionCookie, request: Request): boolean {
  return request.headers.has('authorization') || cookie.read(request) !== undefined;
}

interface Rule {
  level: Level;
  /** The scope that a personal access token needs; without one, tokens are refused. */
  scope: TokenScope | undefined;
  /** True if an admin's session must have proved a second factor. */
  needsSecondFactor: boolean;
  /** True if no cache may store the response, because it belongs to one account or has a token. */
  isPrivate: boolean;
  /** Throws invalid_query. Undefined in v1, which ignores unknown parameters. */
  refuseQuery: ReturnType<typeof strictQuery> | undefined;
  /** Parameter values that form the path of another route. */
  siblings: ParameterValues[];
}

/** Returns the rule that a route declares. Throws if it declares none, so that it is never open. */
function ruleOf(app: AnyElysia, method: string, pattern: string, config: Deps['config']): Rule {
  const route = findRoute(app, method, pattern);
  const name = `${method === 'HEAD' ? 'GET' : method} ${pattern}`;
  const declared = route?.hooks.detail;
  if (declared?.access === undefined) throw new Error(`${name} declares no access`);
  const level = levelOf(declared.access, config.registration);
  const isOpen = level === 'public' || level === 'optional';
  const isPrivate = !isOpen || !name.startsWith('GET ') || name.includes('/auth/');
  const refuseQuery = versionOf(pattern) === 'v2' ? strictQuery(route?.hooks.query) : undefined;
  const siblings = literalSiblings(app, method, pattern);
  const needsSecondFactor = isAdminFactorRequired(config) && !declared.isBeforeSecondFactor;
  return { level, scope: declared.scope, needsSecondFactor, isPrivate, refuseQuery, siblings };
}

/** Throws NotFoundError for the path of another route; errors.ts turns it into a 405. */
function refuseSiblings(siblings: ParameterValues[], params: Record<string, unknown>): void {
  for (const values of siblings) {
    if (values.every(([name, value]) => params[name] === value)) throw new NotFoundError();
  }
}

type Acting = { actor: AnyActor };

type Identify = (request: Request) => Promise<Identified | undefined>;

function createAdmit(deps: Deps, identify: Identify, cookie: SessionCookie) {
  const countUser = createUserLimit(deps);
  /** Deletes the cookie in the browser, unless a newer session has replaced it. */
  const clearEnded = (request: Request, set: ResponseSet) => {
    if (!deps.sessions.wasReplaced(cookie.read(request) ?? '')) cookie.clear(request, set);
  };
  return async (
    rule: Rule,
    request: Request,
    set: ResponseSet,
    origin: Origin,
  ): Promise<Acting> => {
    const { level, scope } = rule;
    const account = await identify(request);
    if (!account) {
      clearEnded(request, set);
      if (level !== 'optional') throw unauthenticated();
      rule.refuseQuery?.(request);
      return { actor: anonymous(origin) };
    }
    // Before any check, so that the log names the account of a refusal.
    accountIds.set(request, account.id);
    const counted = countUser(account.id, request, set);
    if (counted) await counted;
    if (!isInScope(account, scope)) {
      const msg = scope ? `The token lacks the scope ${scope}` : 'A token cannot do this';
      throw new AppError('insufficient_scope', msg);
    }
    if (rule.needsSecondFactor && lacksSecondFactor(account)) {
      const msg = 'Admins need a second factor: set one up, or sign in with it';
      throw new AppError('second_factor_missing', msg);
    }
    if (level === 'admin' && account.role !== 'admin') {
      throw new AppError('forbidden', 'Not enough permissions');
    }
    rule.refuseQuery?.(request);
    return { actor: { ...account, origin } };
  };
}

function anonymous(origin: Origin): AnyActor {
  return { id: null, role: 'anonymous', session: null, origin };
}

/** True if a token has the scope. A session may do everything that its account may. */
function isInScope({ scopes }: Identified, scope: TokenScope | undefined): boolean {
  if (!scopes || scope === '*') return true;
  return scope !== undefined && scopes.includes(scope);
}

/** True for an admin's session that has not proved a second factor; never true for a token. */
function lacksSecondFactor({ role, session }: Identified): boolean {
  return role === 'admin' && session?.second_factor_at === null;
}

/**
 * Returns a function that identifies a request by its Authorization header or, only without one, by
 * its cookie: undefined for a cookie whose session has ended. Throws unauthenticated for a wrong
 * header and without credentials.
 */
function createIdentify(auth: Deps['auth'], cookie: SessionCookie): Identify {
  return async (request) => {
    const header = request.headers.get('authorization');
    const fromCookie = header === null ? cookie.read(request) : undefined;
    const token = fromCookie ?? header?.match(/^bearer +([\w-]{1,256})$/i)?.[1];
    const caller = token && (await auth.identify(token));
    if (!caller && fromCookie) return undefined;
    if (!caller) {
      throw unauthenticated(header === null ? 'Not authenticated' : undefined);
    }
    if (fromCookie) cookie.check(request);
    return caller;
  };
}
