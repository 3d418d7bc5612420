import { byId, call, goTo, onSubmit, show, showStatus } from './shared.js';
import { offerPasskey, offerProviders, returnFromProvider } from './ways-in.js';

/** Set once this tab has signed in, because asking for a missing session would log an error. */
const SIGNED_IN = 'hutch_signed_in';
const RETURN_TO = 'hutch_return_to';

storeReturnTo();
onSubmit('sign-in', signIn);
onSubmit('forgot', async ({ login }) => {
  showStatus((await call('POST', '/auth/password/forgot', { login })).message, 'done');
});
onSubmit('resend', async () => {
  showStatus((await call('POST', '/auth/verification')).message, 'done');
});
onSubmit('sign-out', async () => {
  await call('POST', '/auth/logout');
  sessionStorage.removeItem(SIGNED_IN);
  goTo('signed-in', 'signed-out');
  showStatus('You are signed out.', 'done');
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
    showStatus('Enter your code, too.');
  }
}

/** Returns to the page from which the visitor came, or shows who is signed in. */
function welcome({ account }) {
  sessionStorage.setItem(SIGNED_IN, 'yes');
  for (const input of document.querySelectorAll('input')) input.value = '';
  const path = sessionStorage.getItem(RETURN_TO);
  sessionStorage.removeItem(RETURN_TO);
  if (path !== null) return location.replace(path);
  byId('resend').hidden = account.email_verified;
  goTo('signed-out', 'signed-in');
  showStatus(`Signed in as ${account.username}`, 'done');
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

/** Stores the page to return to after signing in, also through a provider: only on this server. */
function storeReturnTo() {
  const query = new URLSearchParams(location.search);
  if (query.has('state')) return;
  sessionStorage.removeItem(RETURN_TO);
  const requested = query.get('return_to') ?? '';
  if (!/^\/(?![/\\])/.test(requested)) return;
  // Parsed as the browser does, which drops tabs and newlines: `/<tab>/evil.example` is not a path.
  const { origin, href } = new URL(requested, location.origin);
  if (origin === location.origin) sessionStorage.setItem(RETURN_TO, href);
}
