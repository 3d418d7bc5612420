import { call, goOn, onSubmit, show, takeToken, tell } from './shared.js';

const token = takeToken();
let resetToken;
if (token) show('step-proof');

onSubmit('with-password', ({ password }) => confirm({ token, password }));
onSubmit('without-password', () => confirm({ token }));
onSubmit('step-password', async ({ new_password }) => {
  await call('POST', '/auth/password/reset', { token: resetToken, new_password });
  goOn('step-password', 'done');
  tell('Your address is confirmed and your password is set.', 'done');
});

async function confirm(proof) {
  const { reset_token } = await call('POST', '/auth/verification/confirm', proof);
  resetToken = reset_token;
  goOn('step-proof', reset_token ? 'step-password' : 'done');
  const next = reset_token ? ' Now choose a new password.' : '';
  tell(`Your address is confirmed.${next}`, 'done');
}
