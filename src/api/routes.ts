import type { AnyElysia } from 'elysia';
import { urlPath } from '../utils/url.ts';

/** The route of `app` with this method and pattern. HEAD is served by GET's. */
export function findRoute(app: AnyElysia, method: string, pattern: string) {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return app.routes.find((route) => route.method === wanted && route.path === pattern);
}

/** The methods that `path` knows, sorted; none when there is no such path. */
export function allowedMethods(app: AnyElysia, path: string): string[] {
  const parts = segments(path);
  const methods = new Set<string>();
  for (const route of app.routes) {
    if (!matches(segments(route.path), parts)) continue;
    methods.add(route.method);
    if (route.method === 'GET') methods.add('HEAD');
  }
  return [...methods].sort();
}

/** Returns a check whether a request is for a route of `app` that declares itself a probe. */
export function createIsProbe(app: () => AnyElysia): (request: Request) => boolean {
  let paths: Set<string> | undefined;
  return ({ method, url }) => {
    paths ??= probePaths(app());
    return (method === 'GET' || method === 'HEAD') && paths.has(urlPath(url));
  };
}

/** With and without a trailing slash, as they are routed. */
function probePaths(app: AnyElysia): Set<string> {
  const probes = app.routes.filter(({ method, hooks }) => method === 'GET' && hooks.detail.isProbe);
  return new Set(probes.flatMap(({ path }) => [path, `${path}/`]));
}

function segments(path: string): string[] {
  return path.replace(/\/$/, '').split('/');
}

function matches(pattern: string[], parts: string[]): boolean {
  if (pattern.at(-1) === '*') {
    return (
      parts.length >= pattern.length &&
      matches(pattern.slice(0, -1), parts.slice(0, pattern.length - 1))
    );
  }
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => part.startsWith(':') || part === parts[index])
  );
}
