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
  let readers: Map<string, Fields> | undefined;
  return new Elysia({ name: 'hutch-body' }).onParse(
    { as: 'global' },
    async ({ request, contentType, route }) => {
      readers ??= routesWithBody(app());
      const name = `${request.method} ${route}`;
      // Nothing else may look at it: Elysia would read it by its own rules.
      const fields = readers.get(name);
      if (fields === undefined) return null;
      try {
        const bytes = await readBytes(request, maxBytes);
        if (bytes.byteLength === 0) throw invalid('missing', 'Field required');
        const value = parse(bytes, contentType, bodyTypes(name)[0] as string, request);
        if (fields !== 'any') refuseUnknown(value, fields);
        return value;
      } catch (error) {
        return new BodyFailure(error);
      }
    },
  );
};

/** Unknown fields that an answer names: no more, or it could be larger than the body. */
const MAX_NAMED = 100;

/** The fields that a body may have: v1 ignores all others, as the guide's framework does. */
type Fields = Set<string> | 'any';

interface BodySchema {
  properties?: object;
  /** true where another server decides what it sends. */
  additionalProperties?: unknown;
}

function routesWithBody(app: AnyElysia): Map<string, Fields> {
  const routes = app.routes.filter(({ hooks }) => hooks.body !== undefined);
  return new Map(
    routes.map(({ method, path, hooks }) => [`${method} ${path}`, fieldsOf(path, hooks.body)]),
  );
}

function fieldsOf(path: string, schema: BodySchema): Fields {
  const isClosed = schema.properties !== undefined && schema.additionalProperties !== true;
  const isStrict = path.startsWith('/api/v2/') && isClosed;
  return isStrict ? new Set(Object.keys(schema.properties ?? {})) : 'any';
}

function refuseUnknown(value: object, fields: Set<string>): void {
  const unknown = Object.keys(value).filter((key) => !fields.has(key));
  if (unknown.length === 0) return;
  const msg = 'Extra inputs are not permitted';
  const named = unknown.slice(0, MAX_NAMED);
  const problems = named.map((key) => ({ type: 'extra_forbidden', loc: ['body', key], msg }));
  throw new AppError('validation_failed', 'The request is not valid', { problems });
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
