/** The media types of items as lines; the first of each format is the one that an export sends. */
export const ITEM_MEDIA = {
  jsonl: ['application/x-ndjson', 'application/jsonl'],
  csv: ['text/csv'],
} as const;

/** The media type of an import whose format is in the query. */
export const BYTES = 'application/octet-stream';

/** All media types of an import. Most generated clients send the first one. */
export const ITEM_TYPES: readonly string[] = [BYTES, ...Object.values(ITEM_MEDIA).flat()];

export const JSON_TYPES = ['application/json'] as const;

/** JSON as a change of some fields (RFC 7396): each PATCH reads both alike. */
export const PATCH_TYPES = ['application/json', 'application/merge-patch+json'] as const;

export const FORM_TYPE = 'application/x-www-form-urlencoded';
