// A project that imports the client compiles this file without our tsconfig.json.
/// <reference path="./pages-assets.d.ts" />
import { Elysia } from 'elysia';
import { firstAdminCommand } from '../../core/config/first-admin.ts';
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { LINK_PAGES } from '../../core/links.ts';
import { VERSION } from '../../core/version.ts';
import { prefersHtml } from '../../utils/http/negotiation.ts';
import { type Asset, createAsset } from '../responses/asset.ts';
import confirmEmailPage from './confirm-email.htm' with { type: 'text' };
import confirmEmailScript from './confirm-email.js' with { type: 'text' };
import faviconPath from './favicon.ico' with { type: 'file' };
import firstAdminPart from './first-admin.htm' with { type: 'text' };
import homeStyle from './home.css' with { type: 'text' };
import homePage from './home.htm' with { type: 'text' };
import icon from './icon.svg' with { type: 'text' };
import style from './pages.css' with { type: 'text' };
import resetPage from './reset.htm' with { type: 'text' };
import resetScript from './reset.js' with { type: 'text' };
import sharedScript from './shared.js' with { type: 'text' };
import signInPage from './sign-in.htm' with { type: 'text' };
import signInScript from './sign-in.js' with { type: 'text' };
import { fill } from './template.ts';
import verifyPage from './verify.htm' with { type: 'text' };
import verifyScript from './verify.js' with { type: 'text' };
import waysInScript from './ways-in.js' with { type: 'text' };

// Only this server's own scripts may read a token or a password there.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const ROBOTS = `User-agent: *
Disallow: /
`;

const PUBLIC = { detail: { access: 'public', hide: true } } as const;

const html = (text: string, vary = '') =>
  createAsset({
    type: 'text/html; charset=utf-8',
    headers: { ...HEADERS, 'cache-control': 'no-store' },
    vary,
    open: () => new Blob([text]),
  });
const asset = (type: string, open: () => Blob) => createAsset({ type, headers: HEADERS, open });
const textAsset = (type: string, text: string) => asset(type, () => new Blob([text]));
const script = (text: string) => textAsset('text/javascript; charset=utf-8', text);

/** The parts of the server that the pages show. */
export type PagesDeps = Pick<Deps, 'config'> & { users: Pick<Deps['users'], 'hasAdmin'> };

/** The home page, the sign-in page and the pages that mails link to. They call the public API. */
export const createPageRoutes = (deps: PagesDeps) => {
  const named = (template: string) => html(fill(template, { app_name: deps.config.appName }));
  const verify = named(verifyPage);
  const reset = named(resetPage);
  const confirmEmail = named(confirmEmailPage);
  const signIn = named(signInPage);
  const robots = textAsset('text/plain; charset=utf-8', ROBOTS);
  const favicon = asset('image/x-icon', () => Bun.file(faviconPath));
  const home = createHome(deps);
  const assets = createAssets();
  return new Elysia({ name: 'hutch-pages' })
    .get('/', ({ request, set }) => home(request, set), PUBLIC)
    .get('/robots.txt', ({ request, set }) => robots(request, set), PUBLIC)
    .get('/favicon.ico', ({ request, set }) => favicon(request, set), PUBLIC)
    .get(LINK_PAGES.verifyEmail, ({ request, set }) => verify(request, set), PUBLIC)
    .get(LINK_PAGES.resetPassword, ({ request, set }) => reset(request, set), PUBLIC)
    .get(LINK_PAGES.changeEmail, ({ request, set }) => confirmEmail(request, set), PUBLIC)
    .get('/sign-in', ({ request, set }) => signIn(request, set), PUBLIC)
    .get(
      '/pages/*',
      ({ request, params, set }): Promise<Response> => {
        const asset = assets.get(params['*']);
        if (!asset) throw new AppError('not_found', 'Not Found');
        return asset(request, set);
      },
      PUBLIC,
    );
};

/** Serves `/`: a page for browsers, and links as JSON for programs. */
function createHome({ config, users }: PagesDeps): Asset {
  const vary = 'Accept';
  const page = (firstAdmin: string) =>
    html(fill(homePage, { app_name: config.appName, version: VERSION }, firstAdmin), vary);
  const usual = page('');
  const withoutAdmin = page(fill(firstAdminPart, { command: firstAdminCommand() }));
  const links = createAsset({
    type: 'application/json',
    headers: { 'cache-control': 'no-cache' },
    vary,
    open: () => new Blob([JSON.stringify(linksOf(config.appName))]),
  });
  return async (request, set) => {
    if (!prefersHtml(request.headers.get('accept'))) return links(request, set);
    return ((await users.hasAdmin()) ? usual : withoutAdmin)(request, set);
  };
}

function linksOf(name: string) {
  return {
    name,
    version: VERSION,
    api: '/api/v2',
    openapi: '/openapi.json',
    docs: '/docs',
    sign_in: '/sign-in',
    health: '/health/ready',
  };
}

function createAssets() {
  return new Map([
    ['pages.css', textAsset('text/css; charset=utf-8', style)],
    ['home.css', textAsset('text/css; charset=utf-8', homeStyle)],
    ['icon.svg', textAsset('image/svg+xml', icon)],
    ['shared.js', script(sharedScript)],
    ['verify.js', script(verifyScript)],
    ['reset.js', script(resetScript)],
    ['confirm-email.js', script(confirmEmailScript)],
    ['sign-in.js', script(signInScript)],
    ['ways-in.js', script(waysInScript)],
  ]);
}
