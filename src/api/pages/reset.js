import { call, goTo, onSubmit, show, showStatus, takeToken } from './shared.js';

const token = takeToken();
if (token) show('step-password');

onSubmit('step-password', async ({ new_password }) => {
  await call('POST', '/auth/password/reset', { token, new_password });
  goTo('step-password', 'done');
  showStatus('Your password is set.', 'done');
});
