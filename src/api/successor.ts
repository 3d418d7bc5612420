import { Elysia } from 'elysia';
import { urlPath } from '../utils/url-path.ts';

const V1 = '/api/v1/';
/** What of v2 takes the place of a group of v1; the rest of the path stays where both have it. */
const SUCCESSORS: Record<string, { path: string; keepsRest: boolean }> = {
  items: { path: '/api/v2/items', keepsRest: true },
  users: { path: '/api/v2/users', keepsRest: true },
  external: { path: '/api/v2/sources/fetch', keepsRest: false },
  login: { path: '/api/v2/auth/login', keepsRest: false },
};

/** Tells on every answer of v1 where v2 has the same (RFC 5829, successor-version). */
export const successor = () =>
  new Elysia({ name: 'hutch-successor' }).onRequest(({ request, set }) => {
    const { url } = request;
    if (!url.startsWith(V1, url.indexOf('/', 8))) return;
    const link = successorOf(urlPath(url));
    if (link) set.headers['link'] = link;
  });

function successorOf(path: string): string | undefined {
  const [group = '', ...rest] = path.slice(V1.length).split('/');
  const found = Object.hasOwn(SUCCESSORS, group) ? SUCCESSORS[group] : undefined;
  if (!found) return undefined;
  const tail = found.keepsRest
    ? rest
        .filter(isPlain)
        .map((part) => `/${part}`)
        .join('')
    : '';
  return `<${found.path}${tail}>; rel="successor-version"`;
}

/** Nothing of a path that could end the link. */
function isPlain(part: string): boolean {
  return /^[\w-]+$/.test(part);
}
