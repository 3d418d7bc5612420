import { Elysia } from 'elysia';
import { isUnder, urlPath } from '../../utils/http/url.ts';

const V1 = '/api/v1/';
/** Groups of v1 with the same paths in v2. */
const SAME = ['items', 'users'];
/** Groups of v1 that one route of v2 replaces. */
const OTHERS: Record<string, string> = {
  external: '/api/v2/sources/fetch',
  login: '/api/v2/auth/login',
};

/** Adds to every response of v1 a link to its counterpart in v2 (RFC 5829, successor-version). */
export const successor = () =>
  new Elysia({ name: 'hutch-successor' }).onRequest(({ request, set }) => {
    const { url } = request;
    if (!isUnder(url, V1)) return;
    const link = successorOf(urlPath(url));
    if (link) set.headers['link'] = link;
  });

/** Optimised, because it runs for every request of v1. */
function successorOf(path: string): string | undefined {
  const end = path.indexOf('/', V1.length);
  const group = path.slice(V1.length, end === -1 ? undefined : end);
  if (SAME.includes(group)) return linkTo(`/api/v2/${group}${end === -1 ? '' : restOf(path, end)}`);
  return Object.hasOwn(OTHERS, group) ? linkTo(OTHERS[group] as string) : undefined;
}

/** Returns the rest of a path; empty if a character of it could end the link. */
function restOf(path: string, start: number): string {
  const rest = path.slice(start, path.endsWith('/') ? -1 : undefined);
  return /^[\w/-]*$/.test(rest) ? rest : '';
}

function linkTo(path: string): string {
  return `<${path}>; rel="successor-version"`;
}
