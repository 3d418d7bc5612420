import { Elysia, status } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { NoContent } from '../../schemas/accounts.ts';
import {
  Passkey,
  PasskeyCreate,
  PasskeyOptions,
  PasskeyParams,
  Passkeys,
} from '../../schemas/passkeys.ts';
import { PasswordProof } from '../../schemas/totp.ts';
import { callerOf } from '../access.ts';
import { beforeSecondFactor, sessionRoute } from '../access-rules.ts';
import { PASSKEY_BODY } from '../body-rules.ts';
import { ownOrigin } from '../own-origin.ts';
import { createVia } from '../via.ts';
import { v2BodyErrors, v2Errors, v2WriteErrors } from './responses.ts';

export const authPasskeys = (deps: Pick<Deps, 'passkeys' | 'config'>) => {
  const { passkeys, config } = deps;
  const viaOf = createVia(deps);
  return new Elysia({ prefix: '/auth/passkeys', tags: ['auth'] })
    .get('', ({ request }) => passkeys.list(callerOf(request)), {
      response: { 200: Passkeys, ...v2Errors(401, 403) },
      detail: beforeSecondFactor(sessionRoute('listPasskeys', 'List the own passkeys')),
    })
    .post(
      '/options',
      ({ body, request }) =>
        passkeys.beginAdding(callerOf(request), body.password, ownOrigin(config, request)),
      {
        body: PasswordProof,
        response: { 200: PasskeyOptions, ...v2BodyErrors(401, 403, 409, 429) },
        detail: beforeSecondFactor(sessionRoute('beginPasskey', 'Begin to add a passkey')),
      },
    )
    .post(
      '',
      async ({ body, request, server, set }) => {
        const via = viaOf({ request, server, set });
        const origin = ownOrigin(config, request);
        const passkey = await passkeys.add(callerOf(request), body, origin, via);
        set.headers['location'] = '/api/v2/auth/passkeys';
        return status(201, passkey);
      },
      {
        body: PasskeyCreate,
        response: { 201: Passkey, ...v2BodyErrors(401, 403, 409) },
        detail: {
          ...beforeSecondFactor(
            sessionRoute('addPasskey', 'Add the passkey that the browser made'),
          ),
          body: PASSKEY_BODY,
        },
      },
    )
    .delete(
      '/:passkey_id',
      async ({ params, request, server, set }) => {
        const via = viaOf({ request, server, set });
        await passkeys.remove(callerOf(request), params.passkey_id, via);
        set.status = 204;
      },
      {
        params: PasskeyParams,
        response: { 204: NoContent, ...v2WriteErrors(401, 403, 404, 422) },
        detail: sessionRoute('removePasskey', 'Remove an own passkey'),
      },
    );
};
