import { eq, sql } from 'drizzle-orm';
import type { Session } from '../../core/db/db.ts';
import { prepare } from '../../core/db/query.ts';
import { AppError } from '../../core/exceptions.ts';
import { DEFAULT_BREAKER } from '../../core/outbound/breaker.ts';
import { type SourceRow, sources } from '../../models/sources.ts';

export type ParameterValue = string | number | boolean;

/** A value that callers choose, and the rules for it. It is used somewhere in the request. */
export interface SourceParameter {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'enum';
  /** Default false: without a value and a default, the field that uses it is left out. */
  required?: boolean;
  default?: ParameterValue;
  /** Applies to an integer or a number. */
  min?: number;
  max?: number;
  /** Applies to a string, in code points; default 200. */
  max_length?: number;
  /** Pattern that the whole string must match; see utils/text/plain-pattern.ts. */
  pattern?: string;
  /** Applies to an enum. */
  values?: string[];
  description?: string;
}

/** A value of the query or of a header: a template, or a secret that is sent unchanged. */
export type StoredField = string | { sealed: string };
export type PlainField = string | { secret: string };
export type ShownField = string | { secret: null; is_set: boolean };
/** A field of a source that is being saved: some secrets are new, the others are sealed already. */
export type EditedField = StoredField | PlainField;
/** A change of a field: null removes it; a secret of null leaves its value unchanged. */
export type FieldChange = string | { secret: string | null } | null;
export type Fields<F> = Record<string, F>;

/** The rules for the request to a source and for its response. */
export interface SourceRules {
  base_url: string;
  method: 'GET' | 'POST';
  /** Template, appended to the path of `base_url`. */
  path: string;
  /** JSON; a text that is a single placeholder becomes the value itself. Null: no body. */
  body: unknown;
  parameters: SourceParameter[];
  /** Accepted media types. */
  accept: string[];
  /** Lifetime of a cached response: 0 for no cache, null for the response's own (RFC 9111). */
  ttl_seconds: number | null;
  /** Further time in which it may be served, while a refresh is running or after one failed. */
  stale_seconds: number;
  timeout_ms: number;
  max_bytes: number;
  max_per_host: number;
  retries: number;
  breaker: { failures: number; open_seconds: number } | null;
  /** Client headers that are forwarded. */
  forward_headers: string[];
  /** Sets of parameters whose responses `refresh` caches. */
  refresh_parameters: Record<string, ParameterValue>[];
}

type Columns = Pick<SourceRow, 'is_enabled' | 'access' | 'refresh'>;

/** Everything that an admin defines of a source, with fields of the kind `F`. */
export type SourceFields<F> = Columns & SourceRules & { query: Fields<F>; headers: Fields<F> };

/** A source as it is stored. */
export type Source = Omit<SourceRow, 'definition'> & SourceFields<StoredField>;
/** A source as admins see it. */
export type ShownSource = Omit<SourceRow, 'definition'> & SourceFields<ShownField>;

export const SOURCE_DEFAULTS: Omit<SourceFields<never>, 'base_url'> = {
  is_enabled: true,
  access: 'user',
  refresh: null,
  method: 'GET',
  path: '',
  query: {},
  headers: {},
  body: null,
  parameters: [],
  accept: ['application/json'],
  ttl_seconds: 0,
  stale_seconds: 0,
  timeout_ms: 10_000,
  max_bytes: 1_048_576,
  max_per_host: 32,
  retries: 1,
  breaker: { failures: DEFAULT_BREAKER.failures, open_seconds: DEFAULT_BREAKER.openMs / 1000 },
  forward_headers: [],
  refresh_parameters: [{}],
};

/** A source before an admin defines anything. */
export const BLANK_SOURCE: SourceFields<StoredField> = { ...SOURCE_DEFAULTS, base_url: '' };

/** Tag of all cache entries that are derived from sources. */
export const SOURCES_TAG = 'sources';

export const sourceByName = prepare<{ name: string }, SourceRow[]>((orm) =>
  orm
    .select()
    .from(sources)
    .where(eq(sources.name, sql.placeholder('name'))),
);

/** Throws not_found. */
export async function getSource(session: Session, name: string): Promise<Source> {
  const [row] = await sourceByName(session, { name });
  if (!row) throw sourceNotFound(name);
  return sourceOf(row);
}

export function sourceOf({ definition, ...columns }: SourceRow): Source {
  return { ...columns, ...(JSON.parse(definition) as Omit<Source, keyof typeof columns>) };
}

/** The columns that store what an admin defines of `source`; its other properties are ignored. */
export function columnsOf(source: SourceFields<StoredField>) {
  const keys = Object.keys(BLANK_SOURCE) as (keyof SourceFields<StoredField>)[];
  const fields = Object.fromEntries(
    keys.map((key) => [key, source[key]]),
  ) as unknown as typeof source;
  const { is_enabled, access, refresh, ...definition } = fields;
  return { is_enabled, access, refresh, definition: JSON.stringify(definition) };
}

/** The source with its secrets removed; it says only that they are set. */
export function shownSource(source: Source): ShownSource {
  const shown = (field: StoredField): ShownField =>
    typeof field === 'string' ? field : { secret: null, is_set: true };
  return {
    ...source,
    query: mapFields(source.query, shown),
    headers: mapFields(source.headers, shown),
  };
}

export function mapFields<F, G>(fields: Fields<F>, change: (field: F) => G) {
  const entries = Object.entries(fields).map(([name, field]) => [name, change(field)]);
  return Object.fromEntries(entries) as Fields<G>;
}

export function sourceNotFound(name: string): AppError {
  return new AppError('not_found', `Source ${name} not found`);
}
