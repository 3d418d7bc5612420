import { call, goTo, onSubmit, show, showStatus, takeToken } from './shared.js';

const token = takeToken();
if (token) show('step-proof');

onSubmit('step-proof', async ({ password }) => {
  await call('POST', '/auth/email/confirm', { token, password });
  goTo('step-proof', 'done');
  showStatus('Your account uses this address now.', 'done');
});
