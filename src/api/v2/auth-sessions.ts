import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { EndedSessions, NoContent, SessionParams, Sessions } from '../../schemas/accounts.ts';
import { callerOf, maybeCallerOf } from '../access.ts';
import { beforeSecondFactor, optionalRoute, sessionRoute } from '../access-rules.ts';
import { createSessionCookie } from '../session-cookie.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2Errors, v2WriteErrors } from './responses.ts';

export const authSessions = (deps: Pick<Deps, 'auth' | 'config'>) => {
  const { auth: service } = deps;
  const viaOf = createVia(deps);
  const cookie = createSessionCookie(deps);
  return new Elysia({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/logout',
      async ({ request, server, set }) => {
        const caller = maybeCallerOf(request);
        if (caller) await service.logout(caller, viaOf({ request, server, set }));
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
    .get('/sessions', ({ request }) => service.listSessions(callerOf(request)), {
      response: { 200: Sessions, ...v2Errors(...SIGNED_IN) },
      detail: sessionRoute('listSessions', 'List the own sessions'),
    })
    .delete(
      '/sessions',
      ({ request, server, set }) =>
        service.endOtherSessions(callerOf(request), viaOf({ request, server, set })),
      {
        response: { 200: EndedSessions, ...v2WriteErrors(...SIGNED_IN) },
        detail: sessionRoute('endOtherSessions', 'End the other own sessions'),
      },
    )
    .delete(
      '/sessions/:session_id',
      async ({ params, request, server, set }) => {
        const via = viaOf({ request, server, set });
        await service.endSession(callerOf(request), params.session_id, via);
        set.status = 204;
      },
      {
        params: SessionParams,
        response: {
          204: NoContent,
          ...v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed'),
        },
        detail: sessionRoute('endSession', 'End an own session'),
      },
    );
};
