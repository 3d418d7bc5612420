import { call, goTo, onSubmit, show, showStatus, takeToken } from './shared.js';

const token = takeToken();
let resetToken;
if (token) show('step-proof');

onSubmit('with-password', ({ password }) => confirm({ token, password }));
onSubmit('without-password', () => confirm({ token }));
onSubmit('step-password', async ({ new_password }) => {
  await call('POST', '/auth/password/reset', { token: resetToken, new_password });
  goTo('step-password', 'done');
  showStatus('Your address is confirmed and your password is set.', 'done');
});

async function confirm(proof) {
  const { reset_token } = await call('POST', '/auth/verification/confirm', proof);
  resetToken = reset_token;
  goTo('step-proof', reset_token ? 'step-password' : 'done');
  const next = reset_token ? ' Now choose a new password.' : '';
  showStatus(`Your address is confirmed.${next}`, 'done');
}
