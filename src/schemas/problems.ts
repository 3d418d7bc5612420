import type { TUnsafe } from '@sinclair/typebox';
import { t } from 'elysia';
import { Choice, Integer } from './kinds.ts';

const QUOTAS = [
  'items',
  'bytes',
  'idempotency_keys',
  'idempotency_bytes',
  'tokens',
  'passkeys',
  'identities',
  'audit_entries',
] as const;

const refused = t.Object(
  {
    path: t.String({ description: 'The location of the value, such as body.title.' }),
    code: t.String({ description: 'The reason, such as string_too_short.' }),
    message: t.String({ description: 'The reason in words.' }),
  },
  { title: 'ProblemField' },
);

const quota = t.Object(
  { name: Choice('QuotaName', QUOTAS), limit: Integer(), used: Integer() },
  {
    title: 'ProblemQuota',
    description: 'Present with the code quota_exceeded: the quota and its usage.',
  },
);

const fields = t.Object({
  type: t.String({ description: 'Always about:blank; the code identifies the problem.' }),
  title: t.String({ description: 'A summary of the code.' }),
  status: Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
  detail: t.String({ description: 'An explanation for people.' }),
  instance: t.String({ description: 'The path of the request.' }),
  request_id: t.String({ description: 'The X-Request-Id of the response.' }),
  errors: t.Optional(t.Array(refused, { description: 'The refused values.' })),
  quota: t.Optional(quota),
});

type Fields = typeof fields.static;

/** An RFC 9457 problem of v2 with one of several codes. */
export interface Problem<Code extends string = string> extends Fields {
  /** A stable code for programs. */
  code: Code;
}

export type ProblemDetails<Code extends string = string> = TUnsafe<Problem<Code>>;

/**
 * Returns the schema of a problem with a status and one of several codes, each with its title and an
 * example.
 */
export function problemDetails(
  name: string,
  status: number,
  titles: [code: string, title: string][],
): ProblemDetails {
  const codes = titles.map(([code]) => code);
  const code = Choice(`${name}Code`, codes, { description: 'A stable code for programs.' });
  const examples = titles.map(([each, title]) => exampleOf(status, each, title));
  const schema = t.Object({ ...fields.properties, code }, { title: name, examples });
  return t.Unsafe<Problem>(schema);
}

/** A typical path for a code; the other codes may occur on any path. */
const PLACES: Record<string, string> = {
  bad_credentials: '/api/v2/auth/login',
  second_factor_required: '/api/v2/auth/login',
  email_taken: '/api/v2/auth/register',
  username_taken: '/api/v2/auth/register',
  weak_password: '/api/v2/auth/register',
  invalid_action_token: '/api/v2/auth/password/reset',
  upstream_failed: '/api/v2/sources/weather',
  upstream_timeout: '/api/v2/sources/weather',
  circuit_open: '/api/v2/sources/weather',
  secrets_unreadable: '/api/v2/sources/weather',
};

function exampleOf(status: number, code: string, title: string): Problem {
  return {
    type: 'about:blank',
    title,
    status,
    detail: title,
    instance: PLACES[code] ?? '/api/v2/items/7',
    code,
    request_id: '019a0000-0000-7000-8000-000000000000',
    ...(code === 'quota_exceeded' && {
      quota: { name: 'items' as const, limit: 100_000, used: 100_000 },
    }),
    ...(code === 'validation_failed' && {
      errors: [
        {
          path: 'body.title',
          code: 'string_too_short',
          message: 'String should have at least 1 character',
        },
      ],
    }),
  };
}
