import { t } from 'elysia';
import { Choice, Integer, Timestamp } from './kinds.ts';

const QUOTAS = [
  'items',
  'bytes',
  'idempotency_keys',
  'idempotency_bytes',
  'tokens',
  'passkeys',
  'audit_entries',
] as const;

/** v2's error with a status: an RFC 9457 problem, with one of the codes that the status has. */
export function ProblemDetails<const C extends string>(
  status: number,
  codes: readonly C[],
  title: string,
) {
  const [code] = codes;
  const example = {
    type: 'about:blank',
    title,
    status,
    detail: title,
    instance: '/api/v2',
    code,
    request_id: '019a0000-0000-7000-8000-000000000000',
  };
  return t.Object(
    {
      type: t.String({ description: 'Always about:blank: the code tells problems apart.' }),
      title: t.String({ description: 'What the code means.' }),
      status: Integer({ description: 'The HTTP status.' }),
      detail: t.String({ description: 'What happened, for people.' }),
      instance: t.String({ description: 'The path of the request.' }),
      code: Choice(`Problem${status}Code`, codes, { description: 'Stable, for programs.' }),
      request_id: t.String({ description: 'The X-Request-Id of the response.' }),
      errors: t.Optional(
        t.Array(t.Object({ path: t.String(), code: t.String(), message: t.String() }), {
          description: 'What is wrong with each field.',
        }),
      ),
      quota: t.Optional(
        t.Object(
          { name: Choice('QuotaName', QUOTAS), limit: Integer(), used: Integer() },
          { description: 'With the code quota_exceeded: the quota, and what is used of it.' },
        ),
      ),
    },
    { title: `Problem${status}`, examples: [example] },
  );
}

export const Version = t.Object(
  {
    name: t.String({ examples: ['hutch'] }),
    version: t.String({ examples: ['0.1.0'] }),
  },
  { title: 'Version' },
);

export const Stats = t.Object(
  {
    uptime_seconds: Integer(),
    memory_bytes: Integer(),
    /** File descriptors; null where the system does not tell. */
    descriptors: t.Object({
      open: t.Union([Integer(), t.Null()]),
      limit: t.Union([Integer(), t.Null()]),
    }),
    cache: t.Object({
      hits: Integer(),
      misses: Integer(),
      stale: Integer(),
      in_flight: Integer(),
      entries: Integer(),
      bytes: Integer(),
    }),
    database: t.Object({
      commits: Integer(),
      writes: Integer(),
      queued: Integer(),
      /** A frame is a page of 4 KiB; what is checkpointed is in the database file. */
      write_ahead_log: t.Object({
        bytes: Integer(),
        frames: Integer(),
        checkpointed_frames: Integer(),
        /** Since when another process keeps the log from being moved. */
        pinned_since: t.Union([Timestamp(), t.Null()]),
      }),
    }),
  },
  { title: 'Stats' },
);

export const Health = t.Object({ status: t.Literal('ok') });
export const Unready = t.Object({
  status: t.Literal('unready'),
  code: Choice('UnreadyCode', ['storage_full', 'storage_failed', 'stopping']),
});
