import { Elysia } from 'elysia';
import { isUnder, urlPath } from '../../utils/http/url.ts';

const V1 = '/api/v1/';
/** Groups of v1 whose paths v2 has too. */
const SAME = ['items', 'users'];
/** Groups whose place one route of v2 takes. */
const OTHERS: Record<string, string> = {
  external: '/api/v2/sources/fetch',
  login: '/api/v2/auth/login',
};

/** Tells on every answer of v1 where v2 has the same (RFC 5829, successor-version). */
export const successor = () =>
  new Elysia({ name: 'hutch-successor' }).onRequest(({ request, set }) => {
    const { url } = request;
    if (!isUnder(url, V1)) return;
    const link = successorOf(urlPath(url));
    if (link) set.headers['link'] = link;
  });

/** By as little work as can be: it is done for every request of v1. */
function successorOf(path: string): string | undefined {
  const end = path.indexOf('/', V1.length);
  const group = path.slice(V1.length, end === -1 ? undefined : end);
  if (SAME.includes(group)) return linkTo(`/api/v2/${group}${end === -1 ? '' : restOf(path, end)}`);
  return Object.hasOwn(OTHERS, group) ? linkTo(OTHERS[group] as string) : undefined;
}

/** Nothing of a path that could end the link. */
function restOf(path: string, start: number): string {
  const rest = path.slice(start, path.endsWith('/') ? -1 : undefined);
  return /^[\w/-]*$/.test(rest) ? rest : '';
}

function linkTo(path: string): string {
  return `<${path}>; rel="successor-version"`;
}
