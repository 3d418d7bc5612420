import type { Deps } from '../../../core/deps.ts';
import { PasskeyLogin, PasskeyOptions } from '../../../schemas/auth/passkeys.ts';
import { OpenedSession } from '../../../schemas/auth/sessions.ts';
import { openRoutes, publicRoute } from '../../plugins/access-rules.ts';
import { createSessionCookie } from '../../plugins/cookies.ts';
import { PASSKEY_BODY } from '../../request/body-rules.ts';
import { passkeyOrigin } from '../../request/own-origin.ts';
import { v2BodyErrors, v2WriteErrors } from '../responses.ts';

const LOGIN_BY_PASSKEY_ERRORS = v2BodyErrors(
  'bad_credentials',
  'csrf_refused',
  'inactive_user',
  'email_unverified',
  'conflict',
  'invalid_action_token',
);

export const createPasskeyLoginRoutes = (deps: Pick<Deps, 'auth' | 'passkeys' | 'config'>) => {
  const { auth, passkeys, config } = deps;
  const cookie = createSessionCookie(deps);
  return openRoutes({ prefix: '/auth/passkeys/login', tags: ['auth'] })
    .post('/options', ({ request }) => passkeys.beginSignIn(passkeyOrigin(config, request)), {
      response: { 200: PasskeyOptions, ...v2WriteErrors('conflict') },
      detail: publicRoute('beginPasskeyLogin', 'Start a sign-in with a passkey'),
    })
    .post(
      '',
      async ({ actor, body: { transport, ...assertion }, request, set }) => {
        const replaced = cookie.admit(transport, request);
        const user = await passkeys.verify(assertion, passkeyOrigin(config, request));
        const opened = await auth.open(actor, user, { secondFactor: true, replaced });
        return cookie.deliver(opened, transport, { request, set });
      },
      {
        body: PasskeyLogin,
        response: { 200: OpenedSession, ...LOGIN_BY_PASSKEY_ERRORS },
        detail: {
          ...publicRoute('loginByPasskey', 'Open a session with a passkey'),
          body: PASSKEY_BODY,
        },
      },
    );
};
