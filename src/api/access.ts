import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import { BodyFailure } from './body.ts';
import { createCoercion } from './coerce.ts';

export type Access = 'public' | 'user' | 'admin';

/** A caller as known for one request. */
type Caller = NonNullable<Awaited<ReturnType<Deps['auth']['identify']>>>;

/** The routes that need no token. Every other one does: test/api/access.test.ts pins this list. */
const PUBLIC_ROUTES = [
  'GET /health/live',
  'GET /health/ready',
  'GET /openapi.json',
  'GET /docs',
  'GET /docs/*',
  'GET /swagger',
  'GET /swagger/*',
  'POST /api/v1/users/',
  'POST /api/v1/login/access-token',
  'GET /api/v1/items/',
  'GET /api/v1/items/popular',
  'GET /api/v1/items/:item_id',
  'GET /api/v2/system/version',
];

/** The routes that need an admin's token. */
const ADMIN_ROUTES = ['GET /api/v1/users/', 'GET /api/v2/system/stats'];

/** Who may call a route, `METHOD /path`; what is listed nowhere needs a token. */
export function accessOf(registration: 'open' | 'closed'): (route: string) => Access {
  const closed = registration === 'closed' ? ['POST /api/v1/users/'] : [];
  const admin = new Set([...ADMIN_ROUTES, ...closed]);
  const open = new Set(PUBLIC_ROUTES.filter((route) => !admin.has(route)));
  return (route) => (open.has(route) ? 'public' : admin.has(route) ? 'admin' : 'user');
}

const callers = new WeakMap<Request, Caller>();

/** The account that asks, on any route that is not public. Throws unauthenticated. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (!caller) throw unauthenticated();
  return caller;
}

/**
 * Lets a request through or throws unauthenticated or forbidden, before anything of it is
 * validated; then throws what was wrong with its body. Must be used before any route is added.
 */
export const access = ({ auth, config }: Deps, app: () => AnyElysia) => {
  const coerce = createCoercion(app);
  const levelOf = accessOf(config.registration);
  const levels = new Map<string, Access>();
  const levelFor = (method: string, route: string) => {
    const name = `${method === 'HEAD' ? 'GET' : method} ${route}`;
    const level = levels.get(name) ?? levelOf(name);
    levels.set(name, level);
    return level;
  };
  return new Elysia({ name: 'hutch-access' }).onTransform(
    { as: 'global' },
    // One hook for both: each costs every request. Not async: a public route waits for nothing.
    ({ request, route, params, query, body }): void | Promise<void> => {
      coerce({ route, params, query });
      const level = levelFor(request.method, route);
      if (level !== 'public') return admit(auth, level, request, body);
      if (body instanceof BodyFailure) throw body.error;
    },
  );
};

async function admit(auth: Deps['auth'], level: Access, request: Request, body: unknown) {
  const caller = await identify(auth, request);
  if (level === 'admin' && caller.role !== 'admin') {
    throw new AppError('forbidden', 'Not enough permissions');
  }
  callers.set(request, caller);
  if (body instanceof BodyFailure) throw body.error;
}

async function identify(auth: Deps['auth'], request: Request): Promise<Caller> {
  const header = request.headers.get('authorization');
  const token = header?.match(/^bearer ([\w-]{1,256})$/i)?.[1];
  const caller = token && (await auth.identify(token));
  if (!caller) throw unauthenticated(header === null ? 'Not authenticated' : undefined);
  return caller;
}

function unauthenticated(message = 'Could not validate credentials'): AppError {
  return new AppError('unauthenticated', message);
}
