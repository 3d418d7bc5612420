import { byId, call, goOn, onSubmit, show, tell } from './shared.js';
import { offerPasskey, offerProviders, returnFromProvider } from './ways-in.js';

/** Whether this tab signed in: to ask for a session that is not there would be an error. */
const SIGNED_IN = 'hutch_signed_in';
const RETURN_TO = 'hutch_return_to';

keepReturnTo();
onSubmit('sign-in', signIn);
onSubmit('forgot', async ({ login }) => {
  tell((await call('POST', '/auth/password/forgot', { login })).message, 'done');
});
onSubmit('resend', async () => {
  tell((await call('POST', '/auth/verification')).message, 'done');
});
onSubmit('sign-out', async () => {
  await call('POST', '/auth/logout');
  sessionStorage.removeItem(SIGNED_IN);
  goOn('signed-in', 'signed-out');
  tell('You are signed out.', 'done');
});
offerPasskey(welcome);
await begin();

async function begin() {
  const opened = await returnFromProvider();
  const account = opened?.account ?? (await accountOfThisTab());
  if (account) welcome({ account });
  else show('signed-out');
  await offerProviders();
}

async function signIn({ code, ...credentials }) {
  try {
    const body = { ...credentials, ...(code && { code }), transport: 'cookie' };
    welcome(await call('POST', '/auth/login', body));
  } catch (error) {
    if (error.code !== 'second_factor_required') throw error;
    byId('second-factor').hidden = false;
    byId('code').disabled = false;
    byId('code').focus();
    tell('Enter the code too.');
  }
}

/** Goes on to where the visitor came from or says who is signed in. */
function welcome({ account }) {
  sessionStorage.setItem(SIGNED_IN, 'yes');
  for (const input of document.querySelectorAll('input')) input.value = '';
  const path = sessionStorage.getItem(RETURN_TO);
  sessionStorage.removeItem(RETURN_TO);
  if (path !== null) return location.replace(path);
  byId('resend').hidden = account.email_verified;
  goOn('signed-out', 'signed-in');
  tell(`Signed in as ${account.username}`, 'done');
}

async function accountOfThisTab() {
  if (sessionStorage.getItem(SIGNED_IN) === null) return undefined;
  try {
    return await call('GET', '/users/me');
  } catch {
    sessionStorage.removeItem(SIGNED_IN);
    return undefined;
  }
}

/** Notes where to go after signing in, over the detour by a provider too: on this server only. */
function keepReturnTo() {
  const query = new URLSearchParams(location.search);
  if (query.has('state')) return;
  sessionStorage.removeItem(RETURN_TO);
  const wish = query.get('return_to') ?? '';
  if (!/^\/(?![/\\])/.test(wish)) return;
  // As the browser will read it, which drops tabs and newlines: `/<tab>/evil.example` is no path.
  const { origin, href } = new URL(wish, location.origin);
  if (origin === location.origin) sessionStorage.setItem(RETURN_TO, href);
}
