/** The media types of rows as lines. An export sends the first of its format. */
export const LINE_MEDIA = {
  jsonl: ['application/x-ndjson', 'application/jsonl'],
  csv: ['text/csv'],
} as const;

export type LineFormat = keyof typeof LINE_MEDIA;

/** The media type of an import that names its format in the query. */
export const BYTES = 'application/octet-stream';

/** All media types of an import. Most generated clients send the first. */
export const LINE_TYPES: readonly string[] = [BYTES, ...Object.values(LINE_MEDIA).flat()];

export const JSON_TYPES = ['application/json'] as const;

/** The media types of a PATCH, which mean the same: a merge patch (RFC 7396). */
export const PATCH_TYPES = ['application/json', 'application/merge-patch+json'] as const;

export const FORM_TYPE = 'application/x-www-form-urlencoded';
