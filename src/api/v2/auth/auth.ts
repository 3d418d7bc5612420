import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { Accepted } from '../../../schemas/auth/email.ts';
import { Login, OpenedSession, Register } from '../../../schemas/auth/sessions.ts';
import { openRoutes, publicRoute, signUpRoute } from '../../plugins/access-rules.ts';
import { createProofs, createSessionCookie } from '../../plugins/cookies.ts';
import { countSignUp } from '../../plugins/rate-limit.ts';
import { anonymousHash, setReplayed } from '../../responses/idempotency.ts';
import { ADMIN, v2BodyErrors } from '../responses.ts';

const REGISTER_ERRORS = v2BodyErrors(
  ...ADMIN,
  'email_taken',
  'username_taken',
  'weak_password',
  'idempotency_running',
  'secrets_unreadable',
);
const LOGIN_ERRORS = v2BodyErrors(
  'bad_credentials',
  'second_factor_required',
  'csrf_refused',
  'inactive_user',
  'email_unverified',
);

const REGISTER = {
  ...signUpRoute('register', 'Create an account and sign it in'),
  takesKey: true,
  description:
    'An Idempotency-Key counts together with the body; a repeat opens no other session and needs the right password.',
};

const MAIL_SENT = 'A mail with the next step is on its way.';

export const createAuthRoutes = (deps: Pick<Deps, 'auth' | 'signUpOnce' | 'config' | 'limits'>) => {
  const { auth: service, signUpOnce } = deps;
  const cookie = createSessionCookie(deps);
  const proofsOf = createProofs(deps);
  return openRoutes({ prefix: '/auth', tags: ['auth'] })
    .post(
      '/register',
      async ({ actor, body, request, set }) => {
        const { transport, ...account } = body;
        const replaced = cookie.admit(transport, request);
        await countSignUp(deps, actor.origin.address, set);
        const keyed = { ...keyedSignUp(request, body), proofs: proofsOf(request) };
        const { opened, isReplayed } = await signUpOnce.run(actor, keyed, (onWritten) =>
          service.register(actor, account, replaced, onWritten),
        );
        if (isReplayed) setReplayed(set);
        if (!opened) return status(202, { message: MAIL_SENT });
        set.headers['location'] = '/api/v2/users/me';
        return status(201, cookie.deliver(opened, transport, { request, set }));
      },
      {
        body: Register,
        response: { 201: OpenedSession, 202: Accepted, ...REGISTER_ERRORS },
        detail: REGISTER,
      },
    )
    .post(
      '/login',
      async ({ actor, body, request, set }) => {
        const { transport, device_token, ...credentials } = body;
        const replaced = cookie.admit(transport, request);
        const proofs = proofsOf(request, device_token);
        const opened = await service.login(actor, { ...credentials, proofs }, replaced);
        return cookie.deliver(opened, transport, { request, set });
      },
      {
        body: Login,
        response: { 200: OpenedSession, ...LOGIN_ERRORS },
        detail: publicRoute('login', 'Open a session'),
      },
    );
};

/** Leaves the password out of the hash: a fast hash of it must not be stored. */
function keyedSignUp(request: Request, { password, ...known }: typeof Register.static) {
  return { request_hash: anonymousHash({ request, body: known }), login: known.email, password };
}
