import { attempt, byId, call } from './shared.js';

/** The key of the flow with which the provider's response is used; only the tab that began it has it. */
const FLOW = 'hutch_flow';

/** Shows the passkey button if the browser supports passkeys; `welcome` gets the session. */
export function offerPasskey(welcome) {
  const button = byId('passkey');
  button.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  button.addEventListener(
    'click',
    () => void attempt(button, async () => welcome(await usePasskey())),
  );
}

async function usePasskey() {
  const { flow, options } = await call('POST', '/auth/passkeys/login/options');
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey }).catch(() => undefined);
  if (!credential) throw new Error('No passkey was used.');
  const body = { flow, response: credential.toJSON(), transport: 'cookie' };
  return call('POST', '/auth/passkeys/login', body);
}

/** Adds a button for each provider in the settings of the server. */
export async function offerProviders() {
  const { data } = await call('GET', '/auth/providers').catch(() => ({ data: [] }));
  byId('ways-in').append(...data.map(providerButton));
}

function providerButton({ name, title }) {
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'quiet' });
  button.textContent = `Sign in with ${title}`;
  button.addEventListener('click', () => void attempt(button, () => leaveFor(name)));
  return button;
}

async function leaveFor(provider) {
  const begun = await call('POST', '/auth/identities/login/options', { provider });
  sessionStorage.setItem(FLOW, begun.flow);
  location.assign(begun.authorization_url);
}

/** Returns the session that a provider's response opens; undefined if the page was not opened by one. */
export async function returnFromProvider() {
  const query = new URLSearchParams(location.search);
  const [code, state, refused] = ['code', 'state', 'error'].map((name) => query.get(name));
  if (state === null || (code === null && refused === null)) return undefined;
  history.replaceState(null, '', location.pathname);
  const flow = sessionStorage.getItem(FLOW);
  sessionStorage.removeItem(FLOW);
  let opened;
  await attempt(document.querySelector('main'), async () => {
    if (refused !== null) throw new Error(`The provider did not sign you in${reason(refused)}`);
    if (flow === null) throw new Error('This sign-in was not started in this tab. Start again.');
    const body = { flow, code, state, transport: 'cookie' };
    opened = await call('POST', '/auth/identities/login', body);
  });
  return opened;
}

/** Returns the error code of OAuth 2; any other text may come from the author of a forged link. */
function reason(text) {
  return /^[a-z_]{1,40}$/.test(text) ? `: ${text}` : '.';
}
