import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { Login, NoContent, OpenedSession, Register } from '../../schemas/accounts.ts';
import { Accepted } from '../../schemas/auth-email.ts';
import { callerOf } from '../access.ts';
import { publicRoute, sessionRoute, signUpRoute } from '../access-rules.ts';
import { countSignUp } from '../rate-limit.ts';
import { createSessionCookie } from '../session-cookie.ts';
import { createVia } from '../via.ts';
import { v2BodyErrors, v2WriteErrors } from './responses.ts';

const TOLD_BY_MAIL = 'A mail is on its way: it says how to go on.';

export const auth = (deps: Pick<Deps, 'auth' | 'config' | 'limits'>) => {
  const { auth: service } = deps;
  const viaOf = createVia(deps);
  const cookie = createSessionCookie(deps);
  return new Elysia({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/register',
      async ({ body, request, server, set }) => {
        const { transport, ...account } = body;
        const via = viaOf({ request, server, set });
        const replaced = cookie.admit(transport, request);
        await countSignUp(deps, via.address, set);
        const opened = await service.register(account, via, replaced);
        if (!opened) return status(202, { message: TOLD_BY_MAIL });
        set.headers['location'] = '/api/v2/users/me';
        return status(201, cookie.deliver(opened, transport, set));
      },
      {
        body: Register,
        response: { 201: OpenedSession, 202: Accepted, ...v2BodyErrors(401, 403, 409, 429) },
        detail: signUpRoute('register', 'Create an account and sign it in'),
      },
    )
    .post(
      '/login',
      async ({ body: { transport, ...credentials }, request, server, set }) => {
        const replaced = cookie.admit(transport, request);
        const via = viaOf({ request, server, set });
        const opened = await service.login(credentials, via, replaced);
        return cookie.deliver(opened, transport, set);
      },
      {
        body: Login,
        response: { 200: OpenedSession, ...v2BodyErrors(401, 403, 429) },
        detail: publicRoute('login', 'Open a session'),
      },
    )
    .post(
      '/logout',
      async ({ request, server, set }) => {
        await service.logout(callerOf(request), viaOf({ request, server, set }));
        cookie.clear(request, set);
        set.status = 204;
      },
      {
        response: { 204: NoContent, ...v2WriteErrors(401, 403) },
        detail: sessionRoute('logout', 'End this session'),
      },
    );
};
