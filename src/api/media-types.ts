/** How items come and go as lines; the first is the one that an export is. */
export const ITEM_MEDIA = {
  jsonl: ['application/x-ndjson', 'application/jsonl'],
  csv: ['text/csv'],
} as const;

/** JSON as a change of some fields (RFC 7396): each PATCH of v2 reads both alike. */
export const PATCH_TYPES = ['application/json', 'application/merge-patch+json'] as const;

/** FastAPI reads both as a form. */
const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'] as const;

/** The routes whose body is not JSON. */
const BODIES: Record<string, readonly string[]> = {
  'POST /api/v1/login/access-token': FORM_TYPES,
  'POST /api/v2/auth/identities/return': ['application/x-www-form-urlencoded'],
  'POST /api/v2/items/import': [...ITEM_MEDIA.jsonl, ...ITEM_MEDIA.csv],
};

/** The routes whose answer is no JSON when it is a success. */
const ANSWERS: Record<string, readonly string[]> = {
  'GET /api/v2/items/events': ['text/event-stream'],
  'GET /api/v2/items/export': [ITEM_MEDIA.jsonl[0], ...ITEM_MEDIA.csv],
};

const JSON_TYPES = ['application/json'] as const;

/** The media types of a route's body, `METHOD /path`. */
export function bodyTypes(route: string): readonly string[] {
  return BODIES[route] ?? (route.startsWith('PATCH ') ? PATCH_TYPES : JSON_TYPES);
}

/** The media types of what a route answers. */
export function answerTypes(route: string): readonly string[] {
  return ANSWERS[route] ?? JSON_TYPES;
}
