import { call, goOn, onSubmit, show, takeToken, tell } from './shared.js';

const token = takeToken();
if (token) show('step-password');

onSubmit('step-password', async ({ new_password }) => {
  await call('POST', '/auth/password/reset', { token, new_password });
  goOn('step-password', 'done');
  tell('Your password is set.', 'done');
});
