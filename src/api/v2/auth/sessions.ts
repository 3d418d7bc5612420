import type { Deps } from '../../../core/deps.ts';
import { EndedSessions, SessionParams, Sessions } from '../../../schemas/auth/sessions.ts';
import { NoContent } from '../../../schemas/common.ts';
import {
  beforeSecondFactor,
  openRoutes,
  optionalRoute,
  sessionRoute,
  signedIn,
} from '../../plugins/access-rules.ts';
import { createSessionCookie } from '../../plugins/cookies.ts';
import { SIGNED_IN, v2Errors, v2WriteErrors } from '../responses.ts';

export const createSessionRoutes = (deps: Pick<Deps, 'auth' | 'config'>) => {
  const { auth: service } = deps;
  const cookie = createSessionCookie(deps);
  return openRoutes({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/logout',
      async ({ actor, request, set }) => {
        if (actor.id !== null) await service.logout(actor);
        cookie.clear(request, set);
        set.status = 204;
      },
      {
        response: { 204: NoContent, ...v2WriteErrors(...SIGNED_IN) },
        detail: beforeSecondFactor(
          optionalRoute(undefined, 'logout', 'End this session, if it has not ended'),
        ),
      },
    )
    .get('/sessions', ({ actor }) => service.listSessions(signedIn(actor)), {
      response: { 200: Sessions, ...v2Errors(...SIGNED_IN) },
      detail: sessionRoute('listSessions', 'List your sessions'),
    })
    .delete('/sessions', ({ actor }) => service.endOtherSessions(signedIn(actor)), {
      response: { 200: EndedSessions, ...v2WriteErrors(...SIGNED_IN) },
      detail: sessionRoute('endOtherSessions', 'End your other sessions'),
    })
    .delete(
      '/sessions/:session_id',
      async ({ actor, params, set }) => {
        await service.endSession(signedIn(actor), params.session_id);
        set.status = 204;
      },
      {
        params: SessionParams,
        response: {
          204: NoContent,
          ...v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed'),
        },
        detail: sessionRoute('endSession', 'End one of your sessions'),
      },
    );
};
