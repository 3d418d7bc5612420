import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { CreatedToken, TokenParams, Tokens, tokenCreate } from '../../../schemas/auth/tokens.ts';
import { NoContent } from '../../../schemas/common.ts';
import { accountRoutes, sessionRoute } from '../../plugins/access-rules.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const CREATE_TOKEN_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  ...KEYED,
  'forbidden',
  'bad_credentials',
  'proof_required',
  'secrets_unreadable',
);
const DELETE_TOKEN_ERRORS = v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed');

/** Routes of personal access tokens; `resources` are the names of all resources. */
export const createTokenRoutes = (
  deps: Pick<Deps, 'accessTokens' | 'proveRecently' | 'idempotency'>,
  resources: readonly string[],
) => {
  const { accessTokens, proveRecently } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/tokens', tags: ['tokens'] })
    .get('', async ({ actor }) => ({ data: await accessTokens.list(actor.id) }), {
      response: { 200: Tokens, ...v2Errors(...SIGNED_IN) },
      detail: sessionRoute('listTokens', 'List your personal access tokens'),
    })
    .post(
      '',
      async ({ actor, body: { password, ...body }, request, set }) => {
        // A repeat shows the token again, so it needs the proof too.
        await proveRecently(actor, password);
        const token = await once(
          { actor, request, body, set },
          created,
          (onWritten) => accessTokens.create(actor, body, onWritten),
          { isSecret: true },
        );
        return status(201, token);
      },
      {
        body: tokenCreate(resources),
        response: { 201: CreatedToken, ...CREATE_TOKEN_ERRORS },
        detail: {
          ...sessionRoute('createToken', 'Create a token, which is shown only once'),
          takesKey: true,
          description:
            'A repeat with the Idempotency-Key requires the password or second factor too, and returns the token again.',
        },
      },
    )
    .delete(
      '/:token_id',
      async ({ actor, params, set }) => {
        await accessTokens.remove(actor, params.token_id);
        set.status = 204;
      },
      {
        params: TokenParams,
        response: { 204: NoContent, ...DELETE_TOKEN_ERRORS },
        detail: sessionRoute('deleteToken', 'Delete one of your tokens'),
      },
    );
};

function created(token: typeof CreatedToken.static) {
  return { status: 201, location: `/api/v2/tokens/${token.id}`, body: token };
}
