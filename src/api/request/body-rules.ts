import type { AnyElysia } from 'elysia';
import { JSON_BOUNDS, type JsonBounds } from '../../utils/json/parse.ts';
import { versionOf } from '../plugins/error-forms.ts';
import { JSON_TYPES, PATCH_TYPES } from './media-types.ts';

/** Most bytes of a body whose route declares nothing else: enough for any form of an account. */
const MAX_BYTES = 16_384;

/** The declarations of a route about its body, in its `detail`. */
export interface BodyDeclaration {
  /** Media types of a body that is not JSON. */
  mediaTypes?: readonly string[];
  /** Most bytes; the setting HUTCH_MAX_BODY_BYTES is the limit above all. */
  maxBytes?: number;
  /** Most values and keys of its JSON. */
  maxNodes?: number;
  /** The route reads the body itself, as it comes, and may accept one of unknown length. */
  isStreamed?: true;
}

/** An item in v1 or v2, its text in escapes and its JSON with spaces. */
export const ITEM_BODY: BodyDeclaration = { maxBytes: 262_144 };

/** A definition of a source with its secrets, or calls of sources with their parameters. */
export const SOURCE_BODY: BodyDeclaration = { maxBytes: 131_072 };

/** What a browser says of a passkey, certificates of its maker included. */
export const PASSKEY_BODY: BodyDeclaration = { maxBytes: 65_536 };

/** The parts of a body's schema that say which objects and fields it has. */
export interface BodySchema {
  type?: unknown;
  properties?: Record<string, BodySchema>;
  /** true where another server decides what it sends. */
  additionalProperties?: unknown;
  /** Of a record, whose names are free. */
  patternProperties?: Record<string, BodySchema>;
  items?: BodySchema;
  anyOf?: BodySchema[];
}

/** How the body of a route is read. */
export interface BodyRule {
  /** Those that are read; none for a route without a body. */
  mediaTypes: readonly string[];
  /** The value of Accept-Patch (RFC 5789): of a PATCH, and of reading what it changes. */
  acceptPatch: string | undefined;
  maxBytes: number;
  bounds: JsonBounds;
  /** Names the fields that are accepted; undefined in v1, which ignores unknown fields. */
  fields: BodySchema | undefined;
  isStreamed: boolean;
}

/** The media types that a route with a body reads: JSON, unless it declares others. */
export function bodyTypes(method: string, declared: BodyDeclaration = {}): readonly string[] {
  return declared.mediaTypes ?? (method === 'PATCH' ? PATCH_TYPES : JSON_TYPES);
}

/** The rules of all routes of `app`, by `METHOD /path`. */
export function bodyRules(app: AnyElysia, maxBytes: number): Map<string, BodyRule> {
  const patched = new Set(
    app.routes.flatMap(({ method, path }) => (method === 'PATCH' ? [path] : [])),
  );
  return new Map(
    app.routes.map(({ method, path, hooks }) => {
      const declared: BodyDeclaration = hooks.detail?.body ?? {};
      const rule = {
        mediaTypes: hooks.body === undefined ? [] : bodyTypes(method, declared),
        acceptPatch: patched.has(path) ? PATCH_TYPES.join(', ') : undefined,
        maxBytes: Math.min(declared.maxBytes ?? MAX_BYTES, maxBytes),
        bounds: { ...JSON_BOUNDS, ...(declared.maxNodes && { maxNodes: declared.maxNodes }) },
        fields: versionOf(path) === 'v2' ? (hooks.body as BodySchema) : undefined,
        isStreamed: declared.isStreamed ?? false,
      };
      return [`${method} ${path}`, rule];
    }),
  );
}
