import { type AnyElysia, Elysia } from 'elysia';
import { findClient } from '../../core/client-address.ts';
import type { Deps } from '../../core/deps.ts';

/** Nothing but IPv4 addresses: not worth a closer look. */
const PLAIN = /^[\d., ]*$/;
/** Characters of an entry that are logged. */
const MAX_SHOWN = 100;

/**
 * Warns, once, when a trusted proxy forwards for what is no address: its clients then all count
 * as the proxy, in limits, sessions and the audit log. Without trusted proxies it does nothing.
 */
export const forwardedCheck = (
  { config: { trustedProxies }, log }: Pick<Deps, 'config' | 'log'>,
  app: () => AnyElysia,
) => {
  const plugin = new Elysia({ name: 'hutch-forwarded-check' });
  if (trustedProxies.length === 0) return plugin;
  let hasWarned = false;
  return plugin.onRequest(({ request }) => {
    const forwarded = hasWarned ? null : request.headers.get('x-forwarded-for');
    if (forwarded === null || PLAIN.test(forwarded)) return;
    const peer = app().server?.requestIP(request)?.address;
    const { unreadable } = peer ? findClient(peer, forwarded, trustedProxies) : {};
    if (unreadable === undefined) return;
    hasWarned = true;
    const entry = unreadable.slice(0, MAX_SHOWN);
    log.warn('A trusted proxy forwards for what is no address; its clients count as one.', {
      proxy: peer,
      entry,
    });
  });
};
