import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import {
  CreatedToken,
  NoContent,
  TokenCreate,
  TokenParams,
  Tokens,
} from '../../schemas/accounts.ts';
import { callerOf } from '../access.ts';
import { sessionRoute } from '../access-rules.ts';
import { createVia } from '../via.ts';
import { SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from './responses.ts';

const CREATE_TOKEN_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  'forbidden',
  'bad_credentials',
  'proof_required',
  'quota_exceeded',
);
const DELETE_TOKEN_ERRORS = v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed');

export const tokens = (deps: Pick<Deps, 'accessTokens' | 'ownTokens' | 'config'>) => {
  const { accessTokens, ownTokens } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/tokens', tags: ['tokens'] })
    .get('', async ({ request }) => ({ data: await accessTokens.list(callerOf(request).id) }), {
      response: { 200: Tokens, ...v2Errors(...SIGNED_IN) },
      detail: sessionRoute('listTokens', 'List the own personal access tokens'),
    })
    .post(
      '',
      async ({ body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        const token = await ownTokens.create(callerOf(request), body, via);
        set.headers['location'] = `/api/v2/tokens/${token.id}`;
        return status(201, token);
      },
      {
        body: TokenCreate,
        response: { 201: CreatedToken, ...CREATE_TOKEN_ERRORS },
        detail: sessionRoute('createToken', 'Make a token, which is shown this once'),
      },
    )
    .delete(
      '/:token_id',
      async ({ params, request, server, set }) => {
        const via = viaOf({ request, server, set });
        await accessTokens.remove(callerOf(request).id, params.token_id, via);
        set.status = 204;
      },
      {
        params: TokenParams,
        response: { 204: NoContent, ...DELETE_TOKEN_ERRORS },
        detail: sessionRoute('deleteToken', 'Delete an own token'),
      },
    );
};
