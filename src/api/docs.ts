// A project that imports the client compiles this file without our tsconfig.json.
/// <reference path="./docs-assets.d.ts" />
import { Elysia } from 'elysia';
import iconPath from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' };
import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import { AppError } from '../core/exceptions.ts';
import { createAsset } from './asset.ts';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API documentation</title>
    <link rel="icon" type="image/png" href="/docs/favicon.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <noscript>This page needs JavaScript. The document itself is at /openapi.json.</noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/swagger-initializer.js"></script>
  </body>
</html>
`;

// validatorUrl: Swagger UI would otherwise send the document's address to a service of its own.
const INITIALIZER = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

// Swagger UI sets style attributes and shows data: images; nothing comes from another host.
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const JAVASCRIPT = 'text/javascript; charset=utf-8';

const asset = (type: string, open: () => Blob) => createAsset({ type, headers: HEADERS, open });

/** The pages /docs and /swagger: Swagger UI over /openapi.json, whole inside the program. */
export const docs = () => {
  const page = asset('text/html; charset=utf-8', () => new Blob([PAGE]));
  const assets = new Map([
    ['', page],
    ['favicon.png', asset('image/png', () => Bun.file(iconPath))],
    ['swagger-ui.css', asset('text/css; charset=utf-8', () => Bun.file(stylePath))],
    ['swagger-ui-bundle.js', asset(JAVASCRIPT, () => Bun.file(bundlePath))],
    ['swagger-initializer.js', asset(JAVASCRIPT, () => new Blob([INITIALIZER]))],
  ]);
  return new Elysia({ name: 'hutch-docs' })
    .get('/docs', ({ request }) => page(request), { detail: { access: 'public', hide: true } })
    .get('/swagger', ({ request }) => page(request), { detail: { access: 'public', hide: true } })
    .get(
      '/docs/*',
      ({ request, params }): Promise<Response> => {
        const answer = assets.get(params['*']);
        if (!answer) throw new AppError('not_found', 'Not Found');
        return answer(request);
      },
      { detail: { access: 'public', hide: true } },
    );
};
