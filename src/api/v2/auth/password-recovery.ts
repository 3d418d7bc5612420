import { status } from 'elysia';
import type { Deps } from '../../../core/deps.ts';
import { Accepted, ForgottenPassword, PasswordReset } from '../../../schemas/auth/email.ts';
import { NoContent } from '../../../schemas/common.ts';
import { openRoutes, publicRoute } from '../../plugins/access-rules.ts';
import { createDeviceCookie } from '../../plugins/cookies.ts';
import { v2BodyErrors } from '../responses.ts';

/** Recovery of a forgotten password, in two steps. Neither opens a session. */
export const createPasswordRecoveryRoutes = (deps: Pick<Deps, 'passwordRecovery' | 'config'>) => {
  const { passwordRecovery } = deps;
  const device = createDeviceCookie(deps);
  return openRoutes({ prefix: '/auth/password', tags: ['auth'] })
    .post(
      '/forgot',
      async ({ actor, body }) => {
        await passwordRecovery.request(actor, body.login);
        return status(202, {
          message: 'If there is such an account, a mail is on its way to its address.',
        });
      },
      {
        body: ForgottenPassword,
        response: { 202: Accepted, ...v2BodyErrors() },
        detail: publicRoute('forgotPassword', 'Request a mail to reset the password'),
      },
    )
    .post(
      '/reset',
      async ({ actor, body, request, set }) => {
        const deviceToken = await passwordRecovery.reset(actor, body);
        device.store(deviceToken, request, set);
        set.status = 204;
      },
      {
        body: PasswordReset,
        response: { 204: NoContent, ...v2BodyErrors('invalid_action_token', 'weak_password') },
        detail: publicRoute('resetPassword', 'Set a new password, with a mailed token'),
      },
    );
};
