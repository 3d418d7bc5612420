import { t } from 'elysia';
import { Choice, Integer, Timestamp } from './kinds.ts';

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
    /** File descriptors; null if the system does not report them. */
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
      /** A frame is a page of 4 KiB; checkpointed frames are in the database file. */
      write_ahead_log: t.Object({
        bytes: Integer(),
        frames: Integer(),
        checkpointed_frames: Integer(),
        /** Time since which another process has prevented a checkpoint. */
        pinned_since: t.Union([Timestamp(), t.Null()]),
      }),
    }),
    /** Queued jobs; of each name at most 10,000 are counted. */
    jobs: t.Object({
      waiting: Integer(),
      running: Integer(),
      dead: Integer(),
      /** Housekeeping whose last run failed. */
      failing: t.Array(t.String()),
    }),
  },
  { title: 'Stats' },
);

export const Health = t.Object({ status: t.Literal('ok') });
export const Unready = t.Object({
  status: t.Literal('unready'),
  code: Choice('UnreadyCode', ['storage_full', 'storage_failed', 'stopping']),
});
