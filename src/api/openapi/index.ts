import { toOpenAPISchema } from '@elysia/openapi';
import { type AnyElysia, Elysia } from 'elysia';
import type { Config } from '../../core/config/config.ts';
import { VERSION } from '../../core/version.ts';
import type { Definition } from '../../resources/declare/definition.ts';
import { findRoute } from '../plugins/routes.ts';
import { type Asset, createAsset } from '../responses/asset.ts';
import { documentOf, type Generated } from './document.ts';

export interface OpenapiOptions {
  /** The whole application, read when the document is first requested. */
  app(): AnyElysia;
  registration: Config['registration'];
  definitions: readonly Definition[];
}

/** Serves the OpenAPI 3.1 document at /openapi.json. It is built once. */
export const createOpenapiRoutes = (options: OpenapiOptions) => {
  let serve: Asset | undefined;
  return new Elysia({ name: 'hutch-openapi' }).get(
    '/openapi.json',
    ({ request, set }): Promise<Response> => {
      serve ??= createDocument(options);
      return serve(request, set);
    },
    { detail: { access: 'public', hide: true } },
  );
};

function createDocument(options: OpenapiOptions): Asset {
  const document = new Blob([JSON.stringify(openapiDocument(options))]);
  return createAsset({ type: 'application/json', headers: {}, open: () => document });
}

/** Returns the document of the application, corrected to match the server. */
function openapiDocument({ app, ...options }: OpenapiOptions): Record<string, unknown> {
  const generated = toOpenAPISchema(app(), undefined, undefined, undefined, '3.1.2');
  return documentOf(generated as unknown as Generated, {
    version: VERSION,
    ...options,
    // The generator leaves out bodies whose parser is not one of Elysia's, and open queries.
    schemasOf: (method, path) => findRoute(app(), method, path)?.hooks ?? {},
  });
}
