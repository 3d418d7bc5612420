// A project that imports the client compiles this file without our tsconfig.json.
/// <reference path="./docs-assets.d.ts" />
/// <reference path="../pages/pages-assets.d.ts" />
import { Elysia } from 'elysia';
import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import type { Deps } from '../../core/deps.ts';
import { AppError } from '../../core/exceptions.ts';
import { fill } from '../pages/template.ts';
import { createAsset } from '../responses/asset.ts';
import docsPage from './index.htm' with { type: 'text' };
import initializer from './initializer.js' with { type: 'text' };
import theme from './theme.js' with { type: 'text' };

// Swagger UI sets style attributes and shows data: images; nothing is loaded from other hosts.
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const JAVASCRIPT = 'text/javascript; charset=utf-8';

const asset = (type: string, open: () => Blob) => createAsset({ type, headers: HEADERS, open });

/** The pages /docs and /swagger: Swagger UI for /openapi.json, embedded in the program. */
export const createDocsRoutes = ({ config }: Pick<Deps, 'config'>) => {
  const html = fill(docsPage, { app_name: config.appName });
  const page = asset('text/html; charset=utf-8', () => new Blob([html]));
  const assets = new Map([
    ['', page],
    ['swagger-ui.css', asset('text/css; charset=utf-8', () => Bun.file(stylePath))],
    ['swagger-ui-bundle.js', asset(JAVASCRIPT, () => Bun.file(bundlePath))],
    ['swagger-initializer.js', asset(JAVASCRIPT, () => new Blob([initializer]))],
    ['theme.js', asset(JAVASCRIPT, () => new Blob([theme]))],
  ]);
  return new Elysia({ name: 'hutch-docs' })
    .get('/docs', ({ request, set }) => page(request, set), {
      detail: { access: 'public', hide: true },
    })
    .get('/swagger', ({ request, set }) => page(request, set), {
      detail: { access: 'public', hide: true },
    })
    .get(
      '/docs/*',
      ({ request, params, set }): Promise<Response> => {
        const asset = assets.get(params['*']);
        if (!asset) throw new AppError('not_found', 'Not Found');
        return asset(request, set);
      },
      { detail: { access: 'public', hide: true } },
    );
};
