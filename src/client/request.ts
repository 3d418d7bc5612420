/** A call before it is encoded as a request. */
export interface Call {
  method: string;
  /** The path, its parameters encoded. */
  path: string;
  body: unknown;
  query: object | undefined;
  headers: Headers;
}

type RequestBody = NonNullable<RequestInit['body']>;

/** A body as fetch takes it. */
export interface Encoded {
  body: RequestBody | undefined;
  /** Its media type, unless the call names one. */
  type: string | undefined;
  /** False for a stream, which can be sent only once. */
  isRepeatable: boolean;
}

/**
 * The routes that take a form, as OAuth2 and Apple require. Other bodies are JSON. A test compares this
 * list with the OpenAPI document.
 */
export const FORM_ROUTES: readonly string[] = [
  '/api/v1/login/access-token',
  '/api/v2/auth/identities/return',
];

const FORM = 'application/x-www-form-urlencoded';
const LINES = 'application/x-ndjson';
const TYPES: Record<string, string> = { csv: 'text/csv', jsonl: LINES, ndjson: LINES };

/**
 * Encodes a path parameter as one segment. Throws TypeError for an empty value, `.` and `..`, which
 * would change the path.
 */
export function encodeSegment(name: string, value: unknown): string {
  const text = String(value);
  if (text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text);
  throw new TypeError(`The path parameter ${name} must not be ${JSON.stringify(text)}`);
}

/** Encodes a query, with its `?`; empty without values. Lists repeat their name. */
export function encodeQuery(query: object | undefined): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value].flat().flatMap((each: unknown) => (each == null ? [] : [[name, textOf(each)]])),
  );
  const text = pairs.map((pair) => pair.map((it) => encodeURIComponent(it as string)).join('='));
  return text.length > 0 ? `?${text.join('&')}` : '';
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Encodes a body: bytes unchanged, anything else as JSON or as the form that the route takes. */
export async function encodeBody({ body, path, query }: Call): Promise<Encoded> {
  if (body === undefined || body === null) {
    return { body: undefined, type: undefined, isRepeatable: true };
  }
  const type = typeOf(body, query);
  if (isStream(body)) {
    const stream = body instanceof ReadableStream ? body : streamOf(body);
    if (!isBrowser()) return { body: stream, type, isRepeatable: false };
    // Browsers send streams only over HTTP/2, or not at all.
    return { body: await new Response(stream).blob(), type, isRepeatable: true };
  }
  if (isRaw(body)) return { body, type, isRepeatable: true };
  if (FORM_ROUTES.includes(path)) {
    const form = new URLSearchParams(body as Record<string, string>);
    return { body: form.toString(), type: FORM, isRepeatable: true };
  }
  return { body: JSON.stringify(body), type: 'application/json', isRepeatable: true };
}

/** Returns the media type by the requested format, the name of a file or the body; otherwise JSON Lines. */
function typeOf(body: unknown, query: object | undefined): string | undefined {
  if (body instanceof URLSearchParams || body instanceof FormData) return undefined;
  const { format } = (query ?? {}) as { format?: unknown };
  const ending = body instanceof Blob && 'name' in body ? String(body.name).split('.').pop() : '';
  const own = body instanceof Blob ? body.type.split(';')[0] : '';
  return TYPES[String(format)] ?? TYPES[ending?.toLowerCase() ?? ''] ?? (own || LINES);
}

function isRaw(body: unknown): body is RequestBody {
  return (
    typeof body === 'string' ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body) ||
    body instanceof URLSearchParams ||
    body instanceof FormData
  );
}

function isStream(body: unknown): body is ReadableStream | AsyncIterable<Uint8Array> {
  if (body instanceof ReadableStream) return true;
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

function isBrowser(): boolean {
  return 'document' in globalThis || 'WorkerGlobalScope' in globalThis;
}
