import { type AnyElysia, Elysia } from 'elysia';
import { AppError } from '../core/exceptions.ts';
import { bodyTypes } from './media-types.ts';

/** A body that could not be read; raised only after the caller has been let in. */
export class BodyFailure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

export interface BodyOptions {
  maxBytes: number;
  /** The whole application, asked for its routes at the first body. */
  app(): AnyElysia;
}

/**
 * Reads every body by one set of rules: the declared media type (unsupported_media_type), at
 * most `maxBytes` (payload_too_large), UTF-8 and JSON (malformed_body).
 */
export const body = ({ maxBytes, app }: BodyOptions) => {
  let readers: Map<string, BodySchema> | undefined;
  return new Elysia({ name: 'hutch-body' }).onParse(
    { as: 'global' },
    async ({ request, contentType, route }) => {
      readers ??= routesWithBody(app());
      const name = `${request.method} ${route}`;
      // Nothing else may look at it: Elysia would read it by its own rules.
      const schema = readers.get(name);
      if (schema === undefined) return null;
      try {
        const bytes = await readBytes(request, maxBytes);
        if (bytes.byteLength === 0) throw invalid('missing', 'Field required');
        const value = parse(bytes, contentType, bodyTypes(name)[0] as string, request);
        refuseUnknown(value, schema);
        return value;
      } catch (error) {
        return new BodyFailure(error);
      }
    },
  );
};

/** Unknown fields that an answer names: no more, or it could be larger than the body. */
const MAX_NAMED = 100;

/** What of a body's schema says which fields it may have. */
interface BodySchema {
  properties?: Record<string, BodySchema>;
  /** true where another server decides what it sends. */
  additionalProperties?: unknown;
  /** Of a record, whose names are free. */
  patternProperties?: Record<string, BodySchema>;
  items?: BodySchema;
  anyOf?: BodySchema[];
}

/** The schemas of bodies; none where anything goes: v1 ignores fields, as the guide's framework does. */
function routesWithBody(app: AnyElysia): Map<string, BodySchema> {
  const routes = app.routes.filter(({ hooks }) => hooks.body !== undefined);
  return new Map(
    routes.map(({ method, path, hooks }) => {
      const isStrict = path.startsWith('/api/v2/');
      return [`${method} ${path}`, isStrict ? (hooks.body as BodySchema) : {}];
    }),
  );
}

function refuseUnknown(value: object, schema: BodySchema): void {
  const unknown = unknownIn(value, schema, ['body']);
  if (unknown.length === 0) return;
  const msg = 'Extra inputs are not permitted';
  const problems = unknown
    .slice(0, MAX_NAMED)
    .map((loc) => ({ type: 'extra_forbidden', loc, msg }));
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

type Location = (string | number)[];

/** Where there are fields that the schema does not know, at any depth that it describes. */
function unknownIn(value: unknown, schema: BodySchema, loc: Location): Location[] {
  const { items, additionalProperties } = schema;
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return items ? value.flatMap((it, index) => unknownIn(it, items, [...loc, index])) : [];
  }
  const { properties, patternProperties } = schema.anyOf?.find(isOfObject) ?? schema;
  const [any] = Object.values(patternProperties ?? {});
  if (!properties && !any) return [];
  return Object.entries(value).flatMap(([key, it]) => {
    const own = properties && Object.hasOwn(properties, key) ? properties[key] : any;
    if (own) return unknownIn(it, own, [...loc, key]);
    return additionalProperties === true ? [] : [[...loc, key]];
  });
}

function isOfObject({ properties }: BodySchema): boolean {
  return properties !== undefined;
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    if (Number(declared) > maxBytes) throw tooLarge(maxBytes);
    return request.bytes();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Uint8Array, contentType: string, expected: string, request: Request) {
  const charset = request.headers.get('content-type')?.match(/charset="?([^\s;"]+)/i)?.[1];
  const isUtf8 = charset === undefined || /^utf-?8$/i.test(charset);
  if (
    contentType.toLowerCase() !== expected ||
    !isUtf8 ||
    request.headers.has('content-encoding')
  ) {
    throw new AppError('unsupported_media_type', `The body must be ${expected}`);
  }
  const text = decode(bytes);
  return expected === 'application/json' ? parseJson(text) : parseForm(text);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('Invalid UTF-8');
  }
}

function parseJson(text: string): object {
  const value = readJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const msg = 'Input should be a valid dictionary or object to extract fields from';
    throw invalid('model_attributes_type', msg);
  }
  return value;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('JSON decode error');
  }
}

/** A key given twice keeps its last value, as in the guide's framework. */
function parseForm(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

function malformed(msg: string): AppError {
  const problems = [{ type: 'json_invalid', loc: ['body', 0], msg }];
  return new AppError('malformed_body', msg, { problems });
}

function invalid(type: string, msg: string): AppError {
  return new AppError('validation_failed', msg, { problems: [{ type, loc: ['body'], msg }] });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', `The body must not exceed ${maxBytes} bytes`);
}
