import type { Deps } from '../../core/deps.ts';
import { AccessToken, LoginForm } from '../../schemas/auth/login.ts';
import { openRoutes, publicRoute } from '../plugins/access-rules.ts';
import { createProofs } from '../plugins/cookies.ts';
import { FORM_TYPE } from '../request/media-types.ts';
import { v1WriteErrors } from './responses.ts';

const REFUSALS = {
  400: ['Incorrect email or password', 'Inactive user'],
  429: ['Too many attempts, try again later'],
};

export const createLoginRoutes = ({ auth, config }: Pick<Deps, 'auth' | 'config'>) => {
  const proofsOf = createProofs({ config });
  return openRoutes({ prefix: '/login', tags: ['login'] }).post(
    '/access-token',
    async ({ actor, body, request }) => {
      const { username: login, password } = body;
      const { token } = await auth.login(actor, { login, password, proofs: proofsOf(request) });
      return { access_token: token, token_type: 'bearer' as const };
    },
    {
      body: LoginForm,
      response: { 200: AccessToken, ...v1WriteErrors([400, 429], REFUSALS) },
      detail: {
        ...publicRoute('createAccessToken', 'Sign in by email or username'),
        // FastAPI reads both as a form.
        body: { mediaTypes: [FORM_TYPE, 'multipart/form-data'] },
      },
    },
  );
};
