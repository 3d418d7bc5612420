import { call, goOn, onSubmit, show, takeToken, tell } from './shared.js';

const token = takeToken();
if (token) show('step-proof');

onSubmit('step-proof', async ({ password }) => {
  await call('POST', '/auth/email/confirm', { token, password });
  goOn('step-proof', 'done');
  tell('Your account uses this address now.', 'done');
});
