import type { AnyElysia } from 'elysia';
import { urlPath } from '../../utils/http/url.ts';

/** Returns the route of `app` with this method and pattern; for HEAD, the route of GET. */
export function findRoute(app: AnyElysia, method: string, pattern: string) {
  const wanted = method === 'HEAD' ? 'GET' : method;
  return app.routes.find((route) => route.method === wanted && route.path === pattern);
}

/**
 * Returns the methods that `path` supports, sorted; none if there is no such path. If a literal
 * pattern and one with a parameter match, as /items/export and /items/:item_id do, the literal wins.
 */
export function allowedMethods(app: AnyElysia, path: string): string[] {
  const parts = segments(path);
  const matching = app.routes.filter((route) => matches(segments(route.path), parts));
  const least = Math.min(...matching.map(parameterCount));
  const methods = matching
    .filter((route) => parameterCount(route) === least)
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set(methods)].sort();
}

/** Parameter values of a route, with their names. */
export type ParameterValues = [name: string, value: string][];

/**
 * Returns the parameter values with which a route has the literal path of another route that lacks
 * its method: the router then reads a segment of that path as a parameter.
 */
export function literalSiblings(
  app: AnyElysia,
  method: string,
  pattern: string,
): ParameterValues[] {
  const own = segments(pattern);
  const siblings = app.routes
    .filter((route) => parameterCount(route) === 0 && matches(own, segments(route.path)))
    .filter((route) => route.path !== pattern && !findRoute(app, method, route.path));
  return siblings.map(({ path }) => {
    const pairs = segments(path).map((part, index): [string, string] => [own[index] ?? '', part]);
    return pairs
      .filter(([name]) => isParameter(name))
      .map(([name, value]): [string, string] => [name.slice(1), value]);
  });
}

function parameterCount({ path }: { path: string }): number {
  return segments(path).filter((part) => isParameter(part) || part === '*').length;
}

function isParameter(part: string): boolean {
  return part.startsWith(':');
}

/** Returns a check: is a request for a route of `app` that is declared a probe? */
export function createIsProbe(app: () => AnyElysia): (request: Request) => boolean {
  let paths: Set<string> | undefined;
  return ({ method, url }) => {
    paths ??= probePaths(app());
    return (method === 'GET' || method === 'HEAD') && paths.has(urlPath(url));
  };
}

/** The paths of probes, with and without a trailing slash, as the router accepts them. */
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
    pattern.every((part, index) => isParameter(part) || part === parts[index])
  );
}
