/** A failed response of the API. `code` is stable, the message is for people. */
class Problem extends Error {
  constructor({ code, detail, errors = [] }, retryAfter) {
    super(retryAfter === null ? detail : `${detail} (in ${retryAfter} s)`);
    this.code = code;
    this.errors = errors;
  }
}

export const byId = (id) => document.getElementById(id);

/** Calls the API and returns the body. Throws Problem, or Error if the server cannot be reached. */
export async function call(method, path, body) {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const { response, content } = await fetch(`/api/v2${path}`, { method, ...(body && json) })
    .then(async (response) => ({
      response,
      content: response.status === 204 || (await response.json()),
    }))
    .catch(() => {
      throw new Error('The server cannot be reached. Try again.');
    });
  if (!response.ok) throw new Problem(content, response.headers.get('retry-after'));
  return content;
}

/**
 * Returns the token of the link to this page and removes it from the address, so that it stays in no
 * history, screenshot or bookmark. Without a token the page says so; the result is undefined.
 */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(null, '', location.pathname);
  // Another link in the same tab changes only the fragment, which does not load the page.
  addEventListener('hashchange', () => location.reload());
  if (token) return token;
  showStatus('This page needs the link from your email. Open it again from there.', 'error');
  return undefined;
}

/** Shows a status, also to screen readers. `kind`: error, done or empty. */
export function showStatus(text, kind = '') {
  const status = byId('status');
  status.dataset.kind = kind;
  status.textContent = text;
}

/** Hides the step `from` and shows `to`. */
export function goTo(from, to) {
  byId(from).hidden = true;
  show(to);
}

/** Shows a step, with the focus in its first field or on the title. */
export function show(step) {
  byId(step).hidden = false;
  const field = byId(step).querySelector('input:enabled');
  (field ?? document.querySelector('h1')).focus();
}

/** Calls `send` with the fields of a form each time it is submitted, and shows errors. */
export function onSubmit(id, send) {
  const form = byId(id);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(form, () => send(Object.fromEntries(new FormData(form))));
  });
}

/** Runs `work` for a form or button, once at a time, and shows errors. */
export async function attempt(element, work) {
  if (element.ariaBusy === 'true') return;
  element.ariaBusy = 'true';
  for (const input of element.querySelectorAll('[aria-invalid]')) input.ariaInvalid = null;
  showStatus('');
  try {
    await work();
  } catch (error) {
    showStatus(describe(error, element), 'error');
  } finally {
    element.ariaBusy = null;
  }
}

/** Returns the text for an error; marks the fields that it names and focuses the first. */
function describe(error, form) {
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
