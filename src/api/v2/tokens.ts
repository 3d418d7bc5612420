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
import { v2BodyErrors, v2Errors, v2WriteErrors } from './responses.ts';

export const tokens = (deps: Pick<Deps, 'accessTokens' | 'ownTokens' | 'config'>) => {
  const { accessTokens, ownTokens } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/tokens', tags: ['tokens'] })
    .get('', async ({ request }) => ({ data: await accessTokens.list(callerOf(request).id) }), {
      response: { 200: Tokens, ...v2Errors(401, 403) },
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
        response: { 201: CreatedToken, ...v2BodyErrors(401, 403) },
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
        response: { 204: NoContent, ...v2WriteErrors(401, 403, 404, 422) },
        detail: sessionRoute('deleteToken', 'Delete an own token'),
      },
    );
};
