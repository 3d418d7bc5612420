// A project that imports the client compiles this file without our tsconfig.json.
/// <reference path="./docs-assets.d.ts" />
import { Elysia } from 'elysia';
import iconPath from 'swagger-ui-dist/favicon-32x32.png' with { type: 'file' };
import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import { AppError } from '../core/exceptions.ts';

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
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const JAVASCRIPT = 'text/javascript; charset=utf-8';

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
    .get('/docs', ({ request }) => page(request), { detail: { hide: true } })
    .get('/swagger', ({ request }) => page(request), { detail: { hide: true } })
    .get(
      '/docs/*',
      ({ request, params }): Promise<Response> => {
        const answer = assets.get(params['*']);
        if (!answer) throw new AppError('not_found', 'Not Found');
        return answer(request);
      },
      { detail: { hide: true } },
    );
};

/** Answers with what `open` gives, read at each request and hashed at the first. */
function asset(type: string, open: () => Blob) {
  let etag: string | undefined;
  return async (request: Request): Promise<Response> => {
    etag ??= `"${Bun.hash(await open().arrayBuffer()).toString(36)}"`;
    const headers = { ...SECURITY_HEADERS, etag, 'cache-control': 'public, no-cache' };
    if (isFresh(request.headers.get('if-none-match'), etag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(open(), { headers: { ...headers, 'content-type': type } });
  };
}

function isFresh(ifNoneMatch: string | null, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}
