import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import {
  Passkey,
  PasskeyCreate,
  PasskeyOptions,
  PasskeyParams,
  Passkeys,
} from '../../../schemas/auth/passkeys.ts';
import { PasswordProof } from '../../../schemas/auth/totp.ts';
import { NoContent } from '../../../schemas/common.ts';
import { accountRoutes, beforeSecondFactor, sessionRoute } from '../../plugins/access-rules.ts';
import { PASSKEY_BODY } from '../../request/body-rules.ts';
import { passkeyOrigin } from '../../request/own-origin.ts';
import { createOnce } from '../../responses/idempotency.ts';
import { KEYED, SIGNED_IN, v2BodyErrors, v2Errors, v2WriteErrors } from '../responses.ts';

const LIST_PASSKEYS_ERRORS = v2Errors(...SIGNED_IN);

const BEGIN_PASSKEY_ERRORS = v2BodyErrors(...SIGNED_IN, 'bad_credentials', 'conflict');
const ADD_PASSKEY_ERRORS = v2BodyErrors(...SIGNED_IN, ...KEYED, 'conflict', 'invalid_action_token');
const REMOVE_PASSKEY_ERRORS = v2WriteErrors(...SIGNED_IN, 'not_found', 'validation_failed');

const ADD_PASSKEY = {
  ...beforeSecondFactor(sessionRoute('addPasskey', 'Add the passkey that the browser created')),
  takesKey: true,
  body: PASSKEY_BODY,
};

export const createPasskeyRoutes = (deps: Pick<Deps, 'passkeys' | 'idempotency' | 'config'>) => {
  const { passkeys, config } = deps;
  const once = createOnce(deps.idempotency);
  return accountRoutes({ prefix: '/auth/passkeys', tags: ['auth'] })
    .get('', ({ actor }) => passkeys.list(actor), {
      response: { 200: Passkeys, ...LIST_PASSKEYS_ERRORS },
      detail: beforeSecondFactor(sessionRoute('listPasskeys', 'List your passkeys')),
    })
    .post(
      '/options',
      ({ actor, body, request }) =>
        passkeys.beginAdding(actor, body.password, passkeyOrigin(config, request)),
      {
        body: PasswordProof,
        response: { 200: PasskeyOptions, ...BEGIN_PASSKEY_ERRORS },
        detail: beforeSecondFactor(sessionRoute('beginPasskey', 'Start to add a passkey')),
      },
    )
    .post(
      '',
      async ({ actor, body, request, set }) => {
        const origin = passkeyOrigin(config, request);
        const passkey = await once({ actor, request, body, set }, added, (onWritten) =>
          passkeys.add(actor, body, origin, onWritten),
        );
        return status(201, passkey);
      },
      {
        body: PasskeyCreate,
        response: { 201: Passkey, ...ADD_PASSKEY_ERRORS },
        detail: ADD_PASSKEY,
      },
    )
    .delete(
      '/:passkey_id',
      async ({ actor, params, set }) => {
        await passkeys.remove(actor, params.passkey_id);
        set.status = 204;
      },
      {
        params: PasskeyParams,
        response: { 204: NoContent, ...REMOVE_PASSKEY_ERRORS },
        detail: sessionRoute('removePasskey', 'Remove one of your passkeys'),
      },
    );
};

function added(passkey: typeof Passkey.static) {
  return { status: 201, location: '/api/v2/auth/passkeys', body: passkey };
}
