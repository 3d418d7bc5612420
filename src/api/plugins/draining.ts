import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';

/**
 * While the server stops, every response closes its connection, including responses to requests that
 * began earlier. If the server closed an idle connection itself, the next request on it would fail.
 */
export const draining = ({ lifecycle }: Pick<Deps, 'lifecycle'>) =>
  new Elysia({ name: 'hutch-draining' })
    .onAfterHandle({ as: 'global' }, ({ response, set }) => {
      if (!lifecycle.isStopping) return;
      // Set the header on a Response directly: Elysia would copy the stream to merge other headers.
      if (response instanceof Response) response.headers.set('connection', 'close');
      else set.headers['connection'] = 'close';
    })
    .onError({ as: 'global' }, ({ set }) => {
      if (lifecycle.isStopping) set.headers['connection'] = 'close';
    });
