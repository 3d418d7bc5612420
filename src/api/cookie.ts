import type { Config } from '../core/config.ts';
import { isLoopbackHost } from '../utils/loopback.ts';

/** The headers of an answer, to which cookies are added. */
export interface Answer {
  headers: Record<string, string | number>;
}

/** The names of a cookie behind https and on plain http. */
interface Names {
  secure: string;
  plain: string;
}

/** A cookie that no script reads and no other site sends, in the way of this server's URL. */
export function createCookie(config: Config, names: Names) {
  const isSecure = config.publicUrl.startsWith('https:');
  const name = isSecure ? names.secure : names.plain;
  return {
    /** Its value in a request, the first of its name. */
    read: (request: Request): string | undefined =>
      cookieValue(request.headers.get('cookie'), name),

    /** Whether it would go to this client by https or without leaving the machine. */
    isSafe: (request: Request): boolean => isSecure || isOnOneMachine(config, request),

    /** Adds it to an answer. An age of 0 has the browser forget it. */
    set: ({ headers }: Answer, value: string, maxAgeSeconds: number): void => {
      const secure = isSecure ? '; Secure' : '';
      const text = `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
      const known = headers['set-cookie'] as unknown as string[] | undefined;
      const others = known?.filter((it) => !it.startsWith(`${name}=`)) ?? [];
      // A list gives a header each; Elysia's type of headers knows no lists.
      headers['set-cookie'] = [...others, text] as unknown as string;
    },
  };
}

/** Whether a page of this server sends the request, by the browser's own word. */
export function isFromOwnPage(publicUrl: string, request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  // From an old browser: the origin of the page.
  if (site === null) return request.headers.get('origin') === ownOrigin(publicUrl, request);
  return site === 'same-origin' || site === 'none';
}

function ownOrigin(publicUrl: string, request: Request): string {
  return publicUrl || `http://${hostOf(request)}`;
}

/** Read by hand, the first of its name: Elysia's cookies would cost every route. */
function cookieValue(header: string | null, name: string): string | undefined {
  if (header === null) return undefined;
  for (const pair of header.split(';')) {
    const text = pair.trimStart();
    if (text.startsWith(name) && text[name.length] === '=') {
      return text.slice(name.length + 1).trimEnd();
    }
  }
  return undefined;
}

function isOnOneMachine({ publicUrl, host }: Config, request: Request): boolean {
  if (publicUrl !== '') return isLoopbackHost(new URL(publicUrl).host);
  const listensOn = host.includes(':') ? `[${host}]` : host;
  return isLoopbackHost(listensOn) && isLoopbackHost(hostOf(request));
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}
