import { byId, call, goOn, onSubmit, takeToken, tell } from './shared.js';

const token = takeToken();
if (token) byId('step-proof').hidden = false;

onSubmit('step-proof', async ({ password }) => {
  await call('POST', '/auth/email/confirm', { token, password });
  goOn('step-proof', 'done');
  tell('Your account uses this address now.', 'done');
});
