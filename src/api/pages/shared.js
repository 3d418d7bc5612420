/** An answer of the API that is not what was asked for; `code` is stable, the message for people. */
class Problem extends Error {
  constructor({ code, detail, errors = [] }, retryAfter) {
    super(retryAfter === null ? detail : `${detail} (in ${retryAfter} s)`);
    this.code = code;
    this.errors = errors;
  }
}

export const byId = (id) => document.getElementById(id);

/** Calls the API and gives its answer. Throws Problem, or an Error in words. */
export async function call(method, path, body) {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const { answer, given } = await fetch(`/api/v2${path}`, { method, ...(body && json) })
    .then(async (answer) => ({ answer, given: answer.status === 204 || (await answer.json()) }))
    .catch(() => {
      throw new Error('The server cannot be reached. Try again.');
    });
  if (!answer.ok) throw new Problem(given, answer.headers.get('retry-after'));
  return given;
}

/**
 * The token of the link that led here, taken out of the address, so that no history, screen or
 * bookmark keeps it. Without one the page says so and gives undefined.
 */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(null, '', location.pathname);
  // Another link in the same tab changes the fragment alone, which loads nothing.
  addEventListener('hashchange', () => location.reload());
  if (token) return token;
  tell('This page needs the link from your mail: open it again from there.', 'error');
  return undefined;
}

/** Says how things stand, to a screen reader too. `kind`: error, done or nothing. */
export function tell(text, kind = '') {
  const status = byId('status');
  status.dataset.kind = kind;
  status.textContent = text;
}

/** Hides the step `from` and shows `to`, with the focus in its first field or on the title. */
export function goOn(from, to) {
  byId(from).hidden = true;
  show(to);
}

/** Shows a step, with the focus in its first field or on the title. */
export function show(step) {
  byId(step).hidden = false;
  const field = byId(step).querySelector('input:enabled');
  (field ?? document.querySelector('h1')).focus();
}

/** Calls `send` with what a form holds each time it is sent, and says what went wrong. */
export function onSubmit(id, send) {
  const form = byId(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(form, () => send(Object.fromEntries(new FormData(form))));
  });
}

/** Does `work` for a form or button, once at a time, and says what went wrong. */
export async function attempt(element, work) {
  if (element.ariaBusy === 'true') return;
  element.ariaBusy = 'true';
  for (const input of element.querySelectorAll('[aria-invalid]')) input.ariaInvalid = null;
  tell('');
  try {
    await work();
  } catch (error) {
    tell(wordsFor(error, element), 'error');
  } finally {
    element.ariaBusy = null;
  }
}

/** What to say of an error; marks the fields that it names and puts the focus there. */
function wordsFor(error, form) {
  if (!error.errors?.length) return error.message;
  const named = error.errors.map(({ path, message }) => {
    const input = form.querySelector(`[name="${CSS.escape(path.replace(/^body\./, ''))}"]`);
    if (input) input.ariaInvalid = 'true';
    const label = input?.labels[0]?.textContent;
    return label ? `${label}: ${message}` : message;
  });
  form.querySelector('[aria-invalid]')?.focus();
  return named.join('\n');
}
