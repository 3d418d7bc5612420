import { versionOf } from '../plugins/error-forms.ts';
import { PATCH_TYPES } from '../request/media-types.ts';
import type { Json } from './schema.ts';

export type SentHeader = keyof typeof RESPONSE_HEADERS;

const text = (description: string, example: string) => ({
  description,
  schema: { type: 'string', examples: [example] },
});
const seconds = (description: string) => ({
  description,
  schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 2 ** 31 - 1, examples: [30] },
});

/** All response headers that the document declares, by the names of its components. */
export const RESPONSE_HEADERS = {
  'X-Request-Id': text(
    'Identifies the request in the log; taken from the request if it sends one.',
    'a1',
  ),
  RateLimit: text(
    'The remaining requests of the tightest limit, and the seconds until it resets.',
    '"requests";r=299;t=10',
  ),
  'RateLimit-Policy': text(
    'The quota of that limit and its window in seconds.',
    '"requests";q=300;w=10',
  ),
  'Retry-After': seconds('The number of seconds after which to retry.'),
  'WWW-Authenticate': text('How to authenticate.', 'Bearer'),
  Link: text(
    'The same resource in v2 (rel="successor-version").',
    '</api/v2/items>; rel="successor-version"',
  ),
  Location: text('The path of the created resource.', '/api/v2/items/7'),
  ETag: text('Identifies the version, for If-Match and If-None-Match.', '"v3"'),
  'Accept-Patch': text('The media types that PATCH accepts.', PATCH_TYPES.join(', ')),
  'Idempotency-Replayed': text(
    'true if the response is that of an earlier request with this key.',
    'true',
  ),
  'X-Cache': text(
    'The cache status: hit, miss or stale; for a source also revalidated or off.',
    'hit',
  ),
  Age: seconds('The number of seconds for which the response has been cached.'),
  'X-Source-Status': text('The HTTP status that the source returned.', '200'),
};

/** The declarations of a route that decide which headers it sends. */
export interface RouteFacts {
  method: string;
  path: string;
  statuses: string[];
  /** Headers of a successful response that the handler itself sets. */
  sends: readonly SentHeader[];
  /** The schema of a response to a query with `fields`. */
  sparse: Json | undefined;
  takesKey: boolean;
  /** Media types of its successful responses. */
  responseTypes: readonly string[];
  /** True if the path has a PATCH. */
  isPatched: boolean;
  /** True if a response shows a resource with a version. */
  hasVersion(status: string): boolean;
}

/** Returns the headers that a response of `route` may have, as references to the components. */
export function responseHeaders(route: RouteFacts, status: string): Json {
  const { method, path, sends, takesKey, isPatched, hasVersion } = route;
  const isApi = path.startsWith('/api/');
  const isV2 = versionOf(path) === 'v2';
  const isSuccess = status.startsWith('2');
  // All routes share the problems, including routes with a PATCH.
  const isProblem = isV2 && Number(status) >= 400;
  const when: Partial<Record<SentHeader, boolean>> = {
    RateLimit: isV2 || (isApi && status === '429'),
    'RateLimit-Policy': isV2 || (isApi && status === '429'),
    'Retry-After': isApi && (['429', '503'].includes(status) || (takesKey && status === '409')),
    'WWW-Authenticate': status === '401',
    Link: path.startsWith('/api/v1/'),
    Location: isApi && ['201', '303'].includes(status),
    ETag: status === '304' || (isSuccess && method !== 'DELETE' && hasVersion(status)),
    'Accept-Patch': isProblem || (isPatched && (isSuccess || status === '304')),
    'Idempotency-Replayed': takesKey && isSuccess,
  };
  const own = isSuccess ? sends : [];
  const names = Object.keys(RESPONSE_HEADERS).filter(
    (name) =>
      name === 'X-Request-Id' || when[name as SentHeader] || own.includes(name as SentHeader),
  );
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const IDEMPOTENCY_KEY = {
  in: 'header',
  name: 'Idempotency-Key',
  required: false,
  description:
    'Any text, such as a UUID. A repeat within 24 hours changes nothing and gets the first response again, with Idempotency-Replayed: true.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
};

/**
 * Returns the Idempotency-Key and the conditional headers that a route reads. It reads a conditional
 * header if it declares the status that the header can cause.
 */
export function requestHeaders({ statuses, takesKey }: Pick<RouteFacts, 'statuses' | 'takesKey'>) {
  const header = (name: string, description: string, example: string) => ({
    in: 'header',
    name,
    required: false,
    description,
    schema: { type: 'string', maxLength: 8192, examples: [example] },
  });
  return [
    ...(takesKey ? [IDEMPOTENCY_KEY] : []),
    ...(statuses.includes('412')
      ? [
          header(
            'If-Match',
            'Changes the resource only if it has this ETag; otherwise the response is 412.',
            '"v3"',
          ),
        ]
      : []),
    ...(statuses.includes('304')
      ? [
          header(
            'If-None-Match',
            'If the resource still has this ETag, the response is 304 without a body.',
            '"v3"',
          ),
        ]
      : []),
  ];
}

/** True if a response is a resource with a version, which its ETag names. */
export function hasVersion(
  response: { content?: Record<string, { schema: Json }> } | undefined,
): boolean {
  const schema = Object.values(response?.content ?? {})[0]?.schema;
  const properties = schema?.['properties'] as Record<string, Json> | undefined;
  return properties?.['version']?.['type'] === 'integer';
}
