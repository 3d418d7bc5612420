import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import {
  IdentityCreate,
  IdentityLinkAsk,
  IdentityOptions,
  IdentityParams,
  OutsideIdentities,
  OutsideIdentity,
} from '../../../schemas/auth/identities.ts';
import { NoContent } from '../../../schemas/common.ts';
import { accountRoutes, sessionRoute } from '../../plugins/access-rules.ts';
import { returnTo } from '../../request/own-origin.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const BEGIN_IDENTITY_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  'bad_credentials',
  'not_found',
  'conflict',
  'upstream_failed',
);
const LINK_IDENTITY_ERRORS = v2BodyErrors(
  ...SIGNED_IN,
  ...KEYED,
  'bad_credentials',
  'conflict',
  'invalid_action_token',
  'upstream_failed',
);
const UNLINK_IDENTITY_ERRORS = v2WriteErrors(
  ...SIGNED_IN,
  'not_found',
  'conflict',
  'validation_failed',
);

/** The identities linked to the caller's account. */
export const createIdentityRoutes = (deps: Pick<Deps, 'identities' | 'idempotency' | 'config'>) => {
  const { identities, config } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/auth/identities', tags: ['auth'] })
    .get('', ({ actor }) => identities.list(actor), {
      response: { 200: OutsideIdentities, ...v2Errors(...SIGNED_IN) },
      detail: sessionRoute('listIdentities', 'List your linked identities'),
    })
    .post(
      '/options',
      ({ actor, body: { provider, redirect_uri, password }, request }) => {
        const target = { provider, ...returnTo(config, request, redirect_uri) };
        return identities.beginLinking(actor, target, password);
      },
      {
        body: IdentityLinkAsk,
        response: { 200: IdentityOptions, ...BEGIN_IDENTITY_ERRORS },
        detail: sessionRoute('beginIdentity', 'Start to link an identity'),
      },
    )
    .post(
      '',
      async ({ actor, body, request, set }) => {
        const identity = await once({ actor, request, body, set }, linked, (onWritten) =>
          identities.link(actor, body, onWritten),
        );
        return status(201, identity);
      },
      {
        body: IdentityCreate,
        response: { 201: OutsideIdentity, ...LINK_IDENTITY_ERRORS },
        detail: {
          ...sessionRoute('linkIdentity', 'Link an identity'),
          takesKey: true,
        },
      },
    )
    .delete(
      '/:identity_id',
      async ({ actor, params, set }) => {
        await identities.unlink(actor, params.identity_id);
        set.status = 204;
      },
      {
        params: IdentityParams,
        response: { 204: NoContent, ...UNLINK_IDENTITY_ERRORS },
        detail: sessionRoute('unlinkIdentity', 'Unlink one of your identities'),
      },
    );
};

function linked(identity: typeof OutsideIdentity.static) {
  return { status: 201, location: '/api/v2/auth/identities', body: identity };
}
