import { Elysia } from 'elysia';
import type { Deps } from '../core/deps.ts';
import { AppError } from '../core/exceptions.ts';
import { isLoopbackHost } from '../utils/loopback.ts';

/**
 * With a public URL, refuses a request for another host: misdirected_request. This machine's own
 * names are let through, for health checks. Without one it is not there at all.
 */
export const host = ({ config }: Pick<Deps, 'config'>) => {
  const plugin = new Elysia({ name: 'hutch-host' });
  if (config.publicUrl === '') return plugin;
  const { host: own, hostname, port, protocol } = new URL(config.publicUrl);
  const withPort = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  return plugin.onRequest(({ request }) => {
    const given = request.headers.get('host');
    if (given !== null && given !== own && !isOther(given)) {
      throw new AppError('misdirected_request', 'This server does not serve that host');
    }
  });

  /** Another spelling of the own host, or this machine. */
  function isOther(given: string): boolean {
    const name = given.toLowerCase();
    return name === own || name === withPort || isLoopbackHost(name);
  }
};
