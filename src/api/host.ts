import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import { isLoopbackHost } from '../utils/loopback.ts';
import { createIsProbe } from './routes.ts';

/**
 * With a public URL, refuses a request for another host: misdirected_request. This machine's own
 * names are let through. So is a probe for any host: load balancers name a server by its address,
 * and it tells nothing that a foreign page could abuse. Without a public URL it checks nothing.
 */
export const host = ({ config }: Pick<Deps, 'config'>, app: () => AnyElysia) => {
  const plugin = new Elysia({ name: 'hutch-host' });
  if (config.publicUrl === '') return plugin;
  const { host: own, hostname, port, protocol } = new URL(config.publicUrl);
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
};
