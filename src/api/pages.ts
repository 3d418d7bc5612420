// A project that imports the client compiles this file without our tsconfig.json.
/// <reference path="./pages-assets.d.ts" />
import { Elysia } from 'elysia';
import { AppError } from '../core/exceptions.ts';
import { createAsset } from './asset.ts';
import confirmEmailPage from './pages/confirm-email.htm' with { type: 'text' };
import confirmEmailScript from './pages/confirm-email.js' with { type: 'text' };
import icon from './pages/icon.svg' with { type: 'text' };
import style from './pages/pages.css' with { type: 'text' };
import resetPage from './pages/reset.htm' with { type: 'text' };
import resetScript from './pages/reset.js' with { type: 'text' };
import sharedScript from './pages/shared.js' with { type: 'text' };
import signInPage from './pages/sign-in.htm' with { type: 'text' };
import signInScript from './pages/sign-in.js' with { type: 'text' };
import verifyPage from './pages/verify.htm' with { type: 'text' };
import verifyScript from './pages/verify.js' with { type: 'text' };
import waysInScript from './pages/ways-in.js' with { type: 'text' };

// Whoever reads a token or a password there is this server's own script and nobody else.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const html = (text: string) =>
  createAsset({
    type: 'text/html; charset=utf-8',
    headers: { ...HEADERS, 'cache-control': 'no-store' },
    open: () => new Blob([text]),
  });
const asset = (type: string, text: string) =>
  createAsset({ type, headers: HEADERS, open: () => new Blob([text]) });
const script = (text: string) => asset('text/javascript; charset=utf-8', text);

/** The pages that mails lead to, and the one to sign in: they use the API as any client does. */
export const pages = () => {
  const verify = html(verifyPage);
  const reset = html(resetPage);
  const confirmEmail = html(confirmEmailPage);
  const signIn = html(signInPage);
  const assets = createAssets();
  return new Elysia({ name: 'hutch-pages' })
    .get('/verify', ({ request }) => verify(request), { detail: { access: 'public', hide: true } })
    .get('/reset', ({ request }) => reset(request), { detail: { access: 'public', hide: true } })
    .get('/confirm-email', ({ request }) => confirmEmail(request), {
      detail: { access: 'public', hide: true },
    })
    .get('/sign-in', ({ request }) => signIn(request), { detail: { access: 'public', hide: true } })
    .get(
      '/pages/*',
      ({ request, params }): Promise<Response> => {
        const answer = assets.get(params['*']);
        if (!answer) throw new AppError('not_found', 'Not Found');
        return answer(request);
      },
      { detail: { access: 'public', hide: true } },
    );
};

function createAssets() {
  return new Map([
    ['pages.css', asset('text/css; charset=utf-8', style)],
    ['icon.svg', asset('image/svg+xml', icon)],
    ['shared.js', script(sharedScript)],
    ['verify.js', script(verifyScript)],
    ['reset.js', script(resetScript)],
    ['confirm-email.js', script(confirmEmailScript)],
    ['sign-in.js', script(signInScript)],
    ['ways-in.js', script(waysInScript)],
  ]);
}
