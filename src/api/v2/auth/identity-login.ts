import type { Deps } from '../../../core/deps.ts';
import {
  IdentityAsk,
  IdentityLogin,
  IdentityOptions,
  IdentityReturn,
  Providers,
} from '../../../schemas/auth/identities.ts';
import { OpenedSession } from '../../../schemas/auth/sessions.ts';
import { NoContent } from '../../../schemas/common.ts';
import { openRoutes, publicRoute } from '../../plugins/access-rules.ts';
import { createSessionCookie } from '../../plugins/cookies.ts';
import { countSignUp } from '../../plugins/rate-limit.ts';
import { FORM_TYPE } from '../../request/media-types.ts';
import { returnTo } from '../../request/own-origin.ts';
import { v2BodyErrors, v2Errors } from '../responses.ts';

const BEGIN_IDENTITY_LOGIN_ERRORS = v2BodyErrors('not_found', 'conflict', 'upstream_failed');
const LOGIN_BY_IDENTITY_ERRORS = v2BodyErrors(
  'bad_credentials',
  'csrf_refused',
  'inactive_user',
  'email_unverified',
  'forbidden',
  'conflict',
  'email_taken',
  'username_taken',
  'quota_exceeded',
  'invalid_action_token',
  'upstream_failed',
);

/** Sign-in with a provider, in two steps like that with a passkey. */
export const createIdentityLoginRoutes = (
  deps: Pick<Deps, 'auth' | 'identities' | 'config' | 'limits'>,
) => {
  const { auth, identities, config } = deps;
  const cookie = createSessionCookie(deps);
  return openRoutes({ prefix: '/auth', tags: ['auth'] })
    .get('/providers', () => identities.providers(), {
      response: { 200: Providers, ...v2Errors() },
      detail: publicRoute('listProviders', 'List the providers of sign-in'),
    })
    .post(
      '/identities/login/options',
      ({ body: { provider, redirect_uri }, request }) =>
        identities.beginSignIn({ provider, ...returnTo(config, request, redirect_uri) }),
      {
        body: IdentityAsk,
        response: { 200: IdentityOptions, ...BEGIN_IDENTITY_LOGIN_ERRORS },
        detail: publicRoute('beginIdentityLogin', 'Start a sign-in with a provider'),
      },
    )
    .post(
      '/identities/login',
      async ({ actor, body: { transport, ...callback }, request, set }) => {
        const replaced = cookie.admit(transport, request);
        const count = () => countSignUp(deps, actor.origin.address, set);
        const user = await identities.verify(callback, { actor, countSignUp: count });
        const opened = await auth.open(actor, user, { replaced });
        return cookie.deliver(opened, transport, { request, set });
      },
      {
        body: IdentityLogin,
        response: { 200: OpenedSession, ...LOGIN_BY_IDENTITY_ERRORS },
        detail: publicRoute('loginByIdentity', 'Open a session with a provider'),
      },
    )
    .post(
      '/identities/return',
      async ({ body, set }) => {
        set.headers['location'] = await identities.returnUrl(body);
        set.status = 303;
      },
      {
        body: IdentityReturn,
        response: { 303: NoContent, ...v2BodyErrors('invalid_action_token') },
        detail: {
          ...publicRoute('returnFromProvider', "Accept a provider's form and redirect to its page"),
          body: { mediaTypes: [FORM_TYPE] },
        },
      },
    );
};
