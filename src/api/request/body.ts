import { type AnyElysia, Elysia } from 'elysia';
import type { Deps } from '../../core/deps.ts';
import { AppError, type Problem } from '../../core/exceptions.ts';
import { readBytes } from '../../utils/async/read-bytes.ts';
import { isIdentity, isUtf8, mediaTypeOf } from '../../utils/http/media-type.ts';
import { type JsonBounds, JsonFault, parseJson } from '../../utils/json/parse.ts';
import { decodeUtf8 } from '../../utils/text/utf8.ts';
import { type BodyRule, type BodySchema, bodyRules } from './body-rules.ts';
import { declaredBytes, isChunked, lengthRequired } from './framing.ts';

/** Problems that a response lists; with more it could be larger than the body. */
const MAX_NAMED = 100;

/**
 * Reads every body by one set of rules. Must be used after `access`, which identifies the caller.
 * Throws length_required, payload_too_large, unsupported_media_type, malformed_body and
 * validation_failed. `app` is the whole application; its routes are read at the first request.
 */
export const body = ({ config }: Pick<Deps, 'config'>, app: () => AnyElysia) => {
  let rules: Map<string, BodyRule> | undefined;
  const ruleFor = (method: string, route: string) => {
    rules ??= bodyRules(app(), config.maxBodyBytes);
    return rules.get(`${method === 'HEAD' ? 'GET' : method} ${route}`);
  };
  const allowsChunks = config.chunkedBodies === 'allow';
  return new Elysia({ name: 'hutch-body' })
    .onParse({ as: 'global' }, leaveUnread)
    .onTransform({ as: 'global' }, (context): void | Promise<void> => {
      const rule = ruleFor(context.request.method, context.route);
      if (!rule) return;
      if (rule.acceptPatch) context.set.headers['accept-patch'] = rule.acceptPatch;
      if (rule.isStreamed) return;
      refuseFraming(context.request.headers, rule.maxBytes, allowsChunks);
      if (rule.mediaTypes.length === 0) return;
      return readBody(context.request, rule).then((value) => {
        context.body = value;
      });
    });
};

/** Prevents Elysia from reading the body before the caller is identified. */
function leaveUnread(): null {
  return null;
}

function refuseFraming(headers: Headers, maxBytes: number, allowsChunks: boolean): void {
  if (declaredBytes(headers) > maxBytes) throw tooLarge(maxBytes);
  if (!allowsChunks && isChunked(headers)) throw lengthRequired('Chunked bodies are not supported');
}

async function readBody(request: Request, rule: BodyRule): Promise<object> {
  const mediaType = acceptedType(request.headers, rule.mediaTypes);
  const bytes = await readContent(request, rule.maxBytes);
  if (bytes.byteLength === 0) throw invalid('missing', 'Field required');
  const value = await readAs(mediaType, { bytes, bounds: rule.bounds, headers: request.headers });
  if (rule.fields) refuseShape(value, rule.fields);
  return value;
}

/** Returns the media type of the body. Throws unsupported_media_type if it is not in `expected`. */
function acceptedType(headers: Headers, expected: readonly string[]): string {
  const header = headers.get('content-type');
  const name = mediaTypeOf(header);
  const isPlain = isUtf8(header) && isIdentity(headers.get('content-encoding'));
  if (expected.includes(name) && isPlain) return name;
  throw new AppError('unsupported_media_type', `The body must be ${expected.join(' or ')}`);
}

/** Throws malformed_body if the body ends early, for example when the client disconnects. */
async function readContent(request: Request, maxBytes: number): Promise<Uint8Array> {
  try {
    if (request.headers.has('content-length')) return await request.bytes();
    return await readBytes(request.body ?? [], { maxBytes, tooLarge: () => tooLarge(maxBytes) });
  } catch (error) {
    throw error instanceof AppError ? error : malformed('The body ended early');
  }
}

interface Read {
  bytes: Uint8Array;
  bounds: JsonBounds;
  headers: Headers;
}

function readAs(mediaType: string, { bytes, bounds, headers }: Read): object | Promise<object> {
  if (mediaType === 'multipart/form-data') return readMultipart(bytes, headers);
  return mediaType === 'application/x-www-form-urlencoded'
    ? readForm(bytes)
    : readJson(bytes, bounds);
}

function readJson(bytes: Uint8Array, bounds: JsonBounds): object {
  const value = parse(bytes, bounds);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const msg = 'Input should be a valid dictionary or object to extract fields from';
  throw invalid('model_attributes_type', msg);
}

function parse(bytes: Uint8Array, bounds: JsonBounds): unknown {
  try {
    return parseJson(bytes, bounds);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { isFlaw, message, path } = error;
    throw isFlaw ? invalid('value_error', `Value error, ${message}`, path) : malformed(message);
  }
}

/** Reads a form. The last value of a repeated name wins, as in FastAPI. */
function readForm(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(decode(bytes)));
}

/** Reads multipart/form-data as `readForm` does. Refuses a file and names its field. */
async function readMultipart(bytes: Uint8Array, headers: Headers): Promise<object> {
  // Throws for invalid UTF-8, which the parser would replace.
  decode(bytes);
  const fields = await parseMultipart(bytes, headers.get('content-type') ?? '');
  const file = fields.find(([, value]) => typeof value !== 'string');
  if (file) {
    throw invalid('string_type', 'Input should be a valid string', [file[0].slice(0, 100)]);
  }
  return Object.fromEntries(fields);
}

async function parseMultipart(bytes: Uint8Array, type: string): Promise<[string, unknown][]> {
  try {
    const form = await new Response(bytes, { headers: { 'content-type': type } }).formData();
    return [...form.entries()];
  } catch {
    throw malformed('Invalid multipart form');
  }
}

function decode(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed('Invalid UTF-8');
  return text;
}

/**
 * Throws validation_failed for fields of `value` that `schema` does not describe, and for anything
 * else in place of an object, which Elysia would convert to an empty one.
 */
function refuseShape(value: object, schema: BodySchema): void {
  const problems: Problem[] = [];
  collect(value, schema, ['body'], problems);
  if (problems.length === 0) return;
  throw new AppError('validation_failed', 'The request is not valid', { problems });
}

/** Adds the problems of `value` at `loc` to `found`. Leaves `loc` unchanged. */
function collect(value: unknown, schema: BodySchema, loc: Problem['loc'], found: Problem[]): void {
  if (Array.isArray(value) && schema.items) {
    for (const [index, it] of value.entries()) visit(it, schema.items, index, loc, found);
  } else if (isObject(value)) {
    collectFields(value, schema, loc, found);
  } else if (schema.type === 'object') {
    note('dict_type', 'Input should be a valid dictionary', loc, found);
  }
}

function collectFields(
  value: Record<string, unknown>,
  schema: BodySchema,
  loc: Problem['loc'],
  found: Problem[],
): void {
  const { properties, patternProperties } = schema.anyOf?.find(isOfObject) ?? schema;
  const [any] = Object.values(patternProperties ?? {});
  if (!properties && !any) return;
  for (const [key, it] of Object.entries(value)) {
    const own = properties && Object.hasOwn(properties, key) ? properties[key] : any;
    if (own) visit(it, own, key, loc, found);
    else if (schema.additionalProperties !== true) {
      note('extra_forbidden', 'Extra inputs are not permitted', [...loc, key], found);
    }
  }
}

function visit(
  value: unknown,
  schema: BodySchema,
  key: string | number,
  loc: Problem['loc'],
  found: Problem[],
): void {
  loc.push(key);
  collect(value, schema, loc, found);
  loc.pop();
}

function note(type: string, msg: string, loc: Problem['loc'], found: Problem[]): void {
  if (found.length < MAX_NAMED) found.push({ type, loc: [...loc], msg });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfObject({ properties }: BodySchema): boolean {
  return properties !== undefined;
}

function malformed(msg: string): AppError {
  const problems = [{ type: 'json_invalid', loc: ['body', 0], msg }];
  return new AppError('malformed_body', msg, { problems });
}

function invalid(type: string, msg: string, path: (string | number)[] = []): AppError {
  const problems = [{ type, loc: ['body', ...path], msg }];
  return new AppError('validation_failed', 'The request is not valid', { problems });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', `The body must not exceed ${maxBytes} bytes`);
}
