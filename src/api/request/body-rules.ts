import type { AnyElysia } from 'elysia';
import type { Field } from '../../resources/declare/definition.ts';
import { JSON_BOUNDS, type JsonBounds } from '../../utils/json/parse.ts';
import { versionOf } from '../plugins/error-forms.ts';
import { JSON_TYPES, PATCH_TYPES } from './media-types.ts';

/** Maximum bytes of a body by default: enough for any form of an account. */
const MAX_BYTES = 16_384;

/** The declarations about the body in the `detail` of a route. */
export interface BodyDeclaration {
  /** Media types of a body that is not JSON. */
  mediaTypes?: readonly string[];
  /** Maximum bytes; never more than the setting HUTCH_MAX_BODY_BYTES. */
  maxBytes?: number;
  /** Maximum number of values and keys of its JSON. */
  maxNodes?: number;
  /** The route itself reads the body as a stream and may accept one of unknown length. */
  isStreamed?: true;
}

/** An item in v1 or v2, with all its text escaped and its JSON indented. */
export const ITEM_BODY: BodyDeclaration = { maxBytes: 262_144 };

/** The bytes of an escaped character, such as \u00e9, and of a byte of JSON that is indented. */
const ESCAPED_BYTES = 6;
const INDENTED_BYTES = 2;

/** The body of a row with these fields, with all its text escaped and its JSON indented. */
export function rowBody(fields: readonly Field[]): BodyDeclaration {
  const bytes = fields.reduce((sum, field) => sum + maxBytesOf(field), 0);
  return { maxBytes: Math.max(bytes, ITEM_BODY.maxBytes ?? 0) };
}

function maxBytesOf({ kind, schema, maxBytes }: Field): number {
  if (kind === 'json') return (maxBytes ?? 65_536) * INDENTED_BYTES;
  const { maxLength = 0, maxItems = 1, items } = schema as TextSchema;
  return (items?.maxLength ?? maxLength) * maxItems * ESCAPED_BYTES;
}

interface TextSchema {
  maxLength?: number;
  maxItems?: number;
  items?: { maxLength?: number };
}

/** A definition of a source with its secrets, or calls of sources with their parameters. */
export const SOURCE_BODY: BodyDeclaration = { maxBytes: 131_072 };

/** The response of a browser about a passkey, with the certificates of its manufacturer. */
export const PASSKEY_BODY: BodyDeclaration = { maxBytes: 65_536 };

/** The parts of a body's schema that name its objects and fields. */
export interface BodySchema {
  type?: unknown;
  properties?: Record<string, BodySchema>;
  /** True if another server decides which fields it sends. */
  additionalProperties?: unknown;
  /** The values of a record, whose names are free. */
  patternProperties?: Record<string, BodySchema>;
  items?: BodySchema;
  anyOf?: BodySchema[];
}

/** The rules for reading the body of a route. */
export interface BodyRule {
  /** The accepted media types; none for a route without a body. */
  mediaTypes: readonly string[];
  /** The value of Accept-Patch (RFC 5789), for a PATCH and for other methods of its path. */
  acceptPatch: string | undefined;
  maxBytes: number;
  bounds: JsonBounds;
  /** Names the fields that are accepted; undefined in v1, which ignores unknown fields. */
  fields: BodySchema | undefined;
  isStreamed: boolean;
}

/** Returns the media types that a route with a body accepts: JSON, unless it declares others. */
export function bodyTypes(method: string, declared: BodyDeclaration = {}): readonly string[] {
  return declared.mediaTypes ?? (method === 'PATCH' ? PATCH_TYPES : JSON_TYPES);
}

/** Returns the rules of all routes of `app`, by `METHOD /path`. */
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
