import { Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AccessToken, LoginForm } from '../../schemas/login.ts';
import { v1WriteErrors } from './responses.ts';

export const login = ({ auth }: Pick<Deps, 'auth'>) =>
  new Elysia({ prefix: '/login', tags: ['login'] }).post(
    '/access-token',
    async ({ body }) => ({
      access_token: await auth.login(body.username, body.password),
      token_type: 'bearer' as const,
    }),
    {
      body: LoginForm,
      response: { 200: AccessToken, ...v1WriteErrors(400) },
      detail: { operationId: 'createAccessToken', summary: 'Sign in by email or username' },
    },
  );
