import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { isLocalHost, isLoopbackHost } from '../../utils/http/loopback.ts';
import { createIsProbe } from './routes.ts';

/**
 * Refuses a request for a host that this server is not: misdirected_request. With a public URL that
 * is every other host but this machine's own names. Without one, a server that listens on loopback
 * alone refuses names that a stranger may own: his page could reach it by a name that he points
 * here (DNS rebinding). One that listens for others, and has no public URL, refuses none. A probe
 * is let through for any host: load balancers name a server by its address, and it tells nothing
 * that a foreign page could abuse.
 */
export const host = (deps: Pick<Deps, 'config'>, app: () => AnyElysia) => {
  const { publicUrl, host: bound } = deps.config;
  if (publicUrl !== '') return publicHost(publicUrl, app);
  return isLoopbackHost(bound) || bound === '::1' ? localHost(app) : new Elysia({ name: NAME });
};

const NAME = 'hutch-host';

function localHost(app: () => AnyElysia) {
  const isProbe = createIsProbe(app);
  let known = 'localhost';
  return new Elysia({ name: NAME }).onRequest(({ request }) => {
    const given = request.headers.get('host');
    if (given === null || given === known) return;
    const isLocal = isLocalHost(given);
    if (!isLocal && !isProbe(request)) {
      const message =
        'This server serves names of this machine alone until HUTCH_PUBLIC_URL is set';
      throw new AppError('misdirected_request', message);
    }
    if (isLocal) known = given;
  });
}

function publicHost(publicUrl: string, app: () => AnyElysia) {
  const plugin = new Elysia({ name: NAME });
  const { host: own, hostname, port, protocol } = new URL(publicUrl);
  const isProbe = createIsProbe(app);
  const withPort = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  return plugin.onRequest(({ request }) => {
    const given = request.headers.get('host');
    if (given !== null && given !== own && !isOther(given) && !isProbe(request)) {
      throw new AppError('misdirected_request', 'This server does not serve that host');
    }
  });

  /** Another spelling of the own host, or this machine. */
  function isOther(given: string): boolean {
    // A name may end in a dot, the root of the DNS.
    const name = given.toLowerCase().replace(/\.(?=:|$)/, '');
    return name === own || name === withPort || isLoopbackHost(name);
  }
}
