import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';

/**
 * While the server stops, tells each client to close its connection after the response, one whose
 * request was under way before too: a connection that the server itself closes between two
 * requests would be reset under the second.
 */
export const draining = ({ lifecycle }: Pick<Deps, 'lifecycle'>) =>
  new Elysia({ name: 'hutch-draining' })
    .onAfterHandle({ as: 'global' }, ({ response, set }) => {
      if (!lifecycle.isStopping) return;
      // Headers of its own, as a stream's are: with others to merge Elysia would copy it.
      if (response instanceof Response) response.headers.set('connection', 'close');
      else set.headers['connection'] = 'close';
    })
    .onError({ as: 'global' }, ({ set }) => {
      if (lifecycle.isStopping) set.headers['connection'] = 'close';
    });
