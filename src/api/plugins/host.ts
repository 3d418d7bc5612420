import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { isLocalHost, isLoopbackHost } from '../../utils/http/loopback.ts';
import { createIsProbe } from './routes.ts';

/**
 * Refuses requests for other hosts with misdirected_request. With a public URL, it accepts that host
 * and this machine's own names. Without one, a server that listens only on loopback refuses names
 * that a stranger may own, since a page of theirs could reach it by a name that resolves to loopback
 * (DNS rebinding); a server that listens on other addresses accepts all. Probes accept any host:
 * load balancers address a server by its IP, and a probe reveals nothing that a page could abuse.
 */
export const host = (deps: Pick<Deps, 'config'>, app: () => AnyElysia) => {
  const { publicUrl, host: bound } = deps.config;
  if (publicUrl !== '') return publicHost(publicUrl, app);
  return isLoopbackHost(bound) || bound === '::1' ? localHost(app) : new Elysia({ name: NAME });
};

const NAME = 'hutch-host';

function localHost(app: () => AnyElysia) {
  const isProbe = createIsProbe(app);
  let accepted = 'localhost';
  return new Elysia({ name: NAME }).onRequest(({ request }) => {
    const requested = request.headers.get('host');
    if (requested === null || requested === accepted) return;
    const isLocal = isLocalHost(requested);
    if (!isLocal && !isProbe(request)) {
      const message =
        'This server accepts only names of this machine until HUTCH_PUBLIC_URL is set';
      throw new AppError('misdirected_request', message);
    }
    if (isLocal) accepted = requested;
  });
}

function publicHost(publicUrl: string, app: () => AnyElysia) {
  const plugin = new Elysia({ name: NAME });
  const { host: own, hostname, port, protocol } = new URL(publicUrl);
  const isProbe = createIsProbe(app);
  const withPort = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  return plugin.onRequest(({ request }) => {
    const requested = request.headers.get('host');
    const isOwn = requested === null || requested === own || isAlias(requested);
    if (!isOwn && !isProbe(request)) {
      throw new AppError('misdirected_request', 'This server does not serve that host');
    }
  });

  /** True for another spelling of its own host, and for this machine. */
  function isAlias(requested: string): boolean {
    // A name may end in a dot, the root of the DNS.
    const name = requested.toLowerCase().replace(/\.(?=:|$)/, '');
    return name === own || name === withPort || isLoopbackHost(name);
  }
}
