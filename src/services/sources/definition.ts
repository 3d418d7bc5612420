import { AppError } from '../../core/exceptions.ts';
import { DEFAULT_BREAKER } from '../../core/outbound/breaker.ts';
import type { SourceRow } from '../../models/index.ts';

/** What a parameter of a source may be given. */
export type ParameterValue = string | number | boolean;

/** What callers may choose: each in one place of the request, by the rules told here. */
export interface SourceParameter {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'enum';
  /** Default false: without a value and a default, what it stands in is left out. */
  required?: boolean;
  default?: ParameterValue;
  /** Of an integer or a number. */
  min?: number;
  max?: number;
  /** Of a string, in code points; default 200. */
  max_length?: number;
  /** What all of a string must match; see utils/plain-pattern.ts. */
  pattern?: string;
  /** Of an enum. */
  values?: string[];
  description?: string;
}

/** A value of the query or of a header: a template, or a secret that is sent as it is. */
export type StoredField = string | { sealed: string };
export type PlainField = string | { secret: string };
export type ShownField = string | { secret: null; is_set: boolean };
/** With null: a field is taken out; a secret stays as it is. */
export type GivenField = string | { secret: string | null } | null;
export type Fields<F> = Record<string, F>;

/** How a request is made and what becomes of its answer. */
export interface SourceRules {
  base_url: string;
  method: 'GET' | 'POST';
  /** Template, appended to the path of `base_url`. */
  path: string;
  /** JSON in which a text that is one place becomes the value itself. Null: none is sent. */
  body: unknown;
  parameters: SourceParameter[];
  /** Media types that are taken. */
  accept: string[];
  /** How long an answer is kept: 0 not at all, null as the answer itself says (RFC 9111). */
  ttl_seconds: number | null;
  /** How long after that it may still be served, while it is asked for anew or when that fails. */
  stale_seconds: number;
  timeout_ms: number;
  max_bytes: number;
  max_per_host: number;
  retries: number;
  breaker: { failures: number; open_seconds: number } | null;
  /** Headers of the client's that are sent on. */
  forward_headers: string[];
  /** The parameters that are kept warm by `refresh`. */
  refresh_parameters: Record<string, ParameterValue>[];
}

type Columns = Pick<SourceRow, 'is_enabled' | 'access' | 'refresh'>;

/** All that an admin decides of a source, with fields of the kind `F`. */
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
  breaker: { failures: DEFAULT_BREAKER.failures, open_seconds: DEFAULT_BREAKER.openMs / 1_000 },
  forward_headers: [],
  refresh_parameters: [{}],
};

export function sourceOf({ definition, ...columns }: SourceRow): Source {
  return { ...columns, ...(JSON.parse(definition) as Omit<Source, keyof typeof columns>) };
}

/** The columns that hold `fields`. */
export function columnsOf(fields: SourceFields<StoredField>) {
  const { is_enabled, access, refresh, ...definition } = fields;
  return { is_enabled, access, refresh, definition: JSON.stringify(definition) };
}

/** Without a secret: only that there is one. */
export function shownSource(source: Source): ShownSource {
  const shown = (field: StoredField): ShownField =>
    typeof field === 'string' ? field : { secret: null, is_set: true };
  return {
    ...source,
    query: mapFields(source.query, shown),
    headers: mapFields(source.headers, shown),
  };
}

export function mapFields<F, G>(fields: Fields<F>, change: (field: F, name: string) => G) {
  const entries = Object.entries(fields).map(([name, field]) => [name, change(field, name)]);
  return Object.fromEntries(entries) as Fields<G>;
}

export function sourceNotFound(name: string): AppError {
  return new AppError('not_found', `Source ${name} not found`);
}
