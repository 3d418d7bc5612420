import { t } from 'elysia';
import { Page } from '../common.ts';
import { Choice, Dictionary, Flag, Integer, IntegerText, Text, Timestamp } from '../kinds.ts';

const NAME = '^[a-z0-9-]{1,64}$';
const template = (description: string, examples: string[]) =>
  Text({ maxLength: 2048, description, examples });
const header = Text({ minLength: 1, maxLength: 100, examples: ['accept-language'] });

const Access = Choice('SourceAccess', ['public', 'user', 'scope'], {
  description:
    'public: anyone. user: signed-in users. scope: sessions, and tokens with external:read.',
});
const Method = Choice('SourceMethod', ['GET', 'POST'], {
  description: 'POST is for queries with a body: calling a source must be safe.',
});

const ParameterValue = t.Union([t.String({ maxLength: 8192 }), t.Number(), t.Boolean()]);
export const Params = Dictionary(ParameterValue, {
  description: 'Values by parameter name.',
  examples: [{ city: 'Paris' }],
});

const Parameter = t.Object(
  {
    name: t.String({ pattern: '^[a-z][a-z0-9_]{0,31}$', examples: ['city'] }),
    type: Choice('SourceParameterType', ['string', 'integer', 'number', 'boolean', 'enum']),
    required: t.Optional(
      Flag({
        description: 'If false and there is no value or default, fields that use it are left out.',
      }),
    ),
    default: t.Optional(ParameterValue),
    min: t.Optional(t.Number({ description: 'For an integer or a number.' })),
    max: t.Optional(t.Number()),
    max_length: t.Optional(
      Integer({ minimum: 1, maximum: 2048, description: 'For a string; default 200.' }),
    ),
    pattern: t.Optional(
      Text({
        minLength: 1,
        maxLength: 200,
        description:
          'Pattern of the whole string: characters, . and [classes], each with ?, *, + or {n,m}.',
        examples: ['[A-Z]{3}'],
      }),
    ),
    values: t.Optional(t.Array(Text({ minLength: 1, maxLength: 200 }), { maxItems: 200 })),
    description: t.Optional(Text({ maxLength: 500 })),
  },
  { title: 'SourceParameter' },
);

const Secret = t.Object(
  {
    secret: t.Union([Text({ minLength: 1, maxLength: 8192 }), t.Null()], {
      description: 'Sent unchanged and never shown. null leaves the current value unchanged.',
    }),
    is_set: t.Optional(Flag({ description: 'Ignored; allows a definition to be sent back.' })),
  },
  { title: 'SourceSecret' },
);
const fields = (description: string, example: object) =>
  t.Optional(
    Dictionary(t.Union([Text({ maxLength: 8192 }), Secret, t.Null()]), {
      description,
      examples: [example],
    }),
  );

const Breaker = t.Object(
  {
    failures: Integer({ minimum: 1, maximum: 1000 }),
    open_seconds: Integer({ minimum: 1, maximum: 3600 }),
  },
  { title: 'SourceBreaker' },
);

const base_url = Text({
  minLength: 1,
  maxLength: 1024,
  description: 'http or https, without a query. Secrets are sent to this host only.',
  examples: ['https://api.example.com'],
});

/** The optional fields. They have no defaults here: in a patch these would undo earlier changes. */
const optional = {
  is_enabled: t.Optional(Flag()),
  access: t.Optional(Access),
  method: t.Optional(Method),
  path: t.Optional(template('Appended to the base URL.', ['/v1/forecast/{city}'])),
  query: fields('Templates and secrets by name; null removes one.', { units: 'metric' }),
  headers: fields('Like the query.', { 'x-api-key': { secret: 'the-key' } }),
  body: t.Optional(
    t.Any({ description: 'JSON body of a POST; "{city}" becomes the value itself.' }),
  ),
  parameters: t.Optional(t.Array(Parameter, { maxItems: 50 })),
  accept: t.Optional(
    t.Array(Text({ minLength: 3, maxLength: 100, examples: ['application/json'] }), {
      minItems: 1,
      maxItems: 10,
    }),
  ),
  ttl_seconds: t.Optional(
    t.Union([Integer({ minimum: 0, maximum: 2_592_000 }), t.Null()], {
      description: 'How long a response is cached; 0: never; null: as its headers say (RFC 9111).',
    }),
  ),
  stale_seconds: t.Optional(Integer({ minimum: 0, maximum: 2_592_000 })),
  // Below the 30 s after which an idle connection is closed.
  timeout_ms: t.Optional(Integer({ minimum: 100, maximum: 25_000 })),
  max_bytes: t.Optional(Integer({ minimum: 1024, maximum: 16_777_216 })),
  max_per_host: t.Optional(Integer({ minimum: 1, maximum: 256 })),
  retries: t.Optional(Integer({ minimum: 0, maximum: 5 })),
  breaker: t.Optional(t.Union([Breaker, t.Null()])),
  forward_headers: t.Optional(t.Array(header, { maxItems: 20, uniqueItems: true })),
  refresh: t.Optional(
    t.Union([Text({ minLength: 1, maxLength: 100, examples: ['*/5 * * * *'] }), t.Null()], {
      description: 'Cron expression, in UTC, for refreshing cached responses.',
    }),
  ),
  refresh_parameters: t.Optional(t.Array(Params, { minItems: 1, maxItems: 20 })),
};

export const SourceNew = t.Object(
  {
    name: t.String({ pattern: NAME, maxLength: 64, examples: ['weather'] }),
    base_url,
    ...optional,
  },
  { title: 'SourceNew' },
);

/** RFC 7396: omitted fields and secrets of null stay unchanged. */
export const SourcePatch = t.Object(
  { base_url: t.Optional(base_url), ...optional },
  { title: 'SourcePatch' },
);

const ShownSecret = t.Object(
  { secret: t.Null(), is_set: t.Boolean() },
  { title: 'SourceShownSecret' },
);
const ShownFields = Dictionary(t.Union([t.String(), ShownSecret]));

export const SourceDefinition = t.Object(
  {
    id: Integer(),
    name: t.String({ examples: ['weather'] }),
    is_enabled: t.Boolean(),
    access: Access,
    base_url: t.String(),
    method: Method,
    path: t.String(),
    query: ShownFields,
    headers: ShownFields,
    body: t.Any(),
    parameters: t.Array(Parameter),
    accept: t.Array(t.String()),
    ttl_seconds: t.Union([Integer(), t.Null()]),
    stale_seconds: Integer(),
    timeout_ms: Integer(),
    max_bytes: Integer(),
    max_per_host: Integer(),
    retries: Integer(),
    breaker: t.Union([Breaker, t.Null()]),
    forward_headers: t.Array(t.String()),
    refresh: t.Union([t.String(), t.Null()]),
    refresh_parameters: t.Array(Dictionary(ParameterValue)),
    version: Integer({ description: 'Increases with each change.' }),
    created_at: Timestamp(),
    updated_at: Timestamp(),
  },
  { title: 'SourceDefinition' },
);

export const SourceDefinitions = t.Object(
  { data: t.Array(SourceDefinition), page: Page },
  { title: 'SourceDefinitions' },
);

export const SourcesQuery = t.Object({
  limit: t.Optional(
    IntegerText({
      minimum: 1,
      maximum: 100,
      default: 50,
      description: 'Maximum number of entries.',
    }),
  ),
  cursor: t.Optional(
    Text({ minLength: 1, maxLength: 1024, description: 'The next_cursor of the previous page.' }),
  ),
});

export const SourceName = t.Object({
  name: Text({ minLength: 1, maxLength: 64, description: 'The name of a source.' }),
});
