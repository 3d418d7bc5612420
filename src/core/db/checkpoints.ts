import type { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import type { Log } from '../log.ts';

/** The state of the write-ahead log, for statistics. Frames are pages of 4 KiB. */
export interface LogState {
  bytes: number;
  frames: number;
  /** Frames that are already in the database file. */
  checkpointed_frames: number;
  /** The time since which another process blocks checkpoints; null if none does. */
  pinned_since: string | null;
}

/** Moves the write-ahead log into the database file (checkpoints). */
export interface LogMover {
  /** Called after a commit: moves the log if it has grown by 4 MiB. */
  afterCommit(): void;
  /**
   * Called every TICK_MS: moves the log. Empties the file if nothing was written since the last
   * tick or it was not emptied for a while, so that deleted data does not stay in it for long.
   */
  tick(): void;
  /** Moves the log and empties the file, unless another process reads it. */
  empty(): void;
  state(): LogState;
}

export interface LogMoverOptions {
  path: string;
  log: Log;
  /** The writer's connection, used between two transactions. */
  client(): Database;
  /** A connection that may be used at any time. */
  reader: Database;
}

/** The interval of ticks: the log is moved at most 10 s after the last write. */
export const TICK_MS = 5_000;
/** The frames after which SQLite itself would checkpoint: bounds the work of one step. */
const STEP_FRAMES = 1_000;
/** Under steady writes the log is emptied this often. */
const EMPTY_EVERY_MS = 20_000;
/** A blocked log is reported once it is this large, or at the next tick. */
const LARGE_BYTES = 16 * 1024 * 1024;
const REPORT_AFTER_MS = TICK_MS - 1_000;

interface Progress {
  isBusy: boolean;
  frames: number;
  moved: number;
}

export function createLogMover({ path, log, client, reader }: LogMoverOptions): LogMover {
  /** Frames at the last attempt: an incomplete attempt is not repeated at each commit. */
  let attempted = 0;
  let seen = 0;
  let emptiedAt = performance.now();
  const size = () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const pin = createPin(log, size);
  const attempt = createAttempt(log);

  const move = (): boolean => {
    const { frames, moved } = checkpoint(client(), 'PASSIVE');
    attempted = frames;
    pin.note(moved < frames);
    return moved >= frames;
  };
  const empty = () => {
    if (checkpoint(client(), 'TRUNCATE').isBusy) return;
    emptiedAt = performance.now();
    attempted = 0;
    seen = 0;
  };
  return {
    afterCommit: () =>
      attempt(() => {
        const { frames } = checkpoint(client(), 'NOOP');
        if (frames < attempted) attempted = 0;
        if (frames - attempted >= STEP_FRAMES) move();
      }),
    tick: () =>
      attempt(() => {
        const { frames } = checkpoint(client(), 'NOOP');
        if (frames === 0 && size() === 0) return;
        const isDue = frames === seen || performance.now() - emptiedAt >= EMPTY_EVERY_MS;
        seen = frames;
        if (move() && isDue) empty();
      }),
    empty: () => attempt(() => void (move() && empty())),
    state: () => {
      const { frames, moved } = checkpoint(reader, 'NOOP');
      return { bytes: size(), frames, checkpointed_frames: moved, pinned_since: pin.since() };
    },
  };
}

/** Runs a checkpoint of SQLite: NOOP only reads the state; no mode waits for a lock. */
function checkpoint(client: Database, mode: 'NOOP' | 'PASSIVE' | 'TRUNCATE'): Progress {
  const [row] = client.query(`PRAGMA wal_checkpoint(${mode})`).values() as number[][];
  const [busy = 0, frames = 0, moved = 0] = row ?? [];
  return { isBusy: busy !== 0, frames, moved };
}

/** Creates a function that runs steps and logs the first of consecutive failures. */
function createAttempt(log: Log): (step: () => void) => void {
  let isFailing = false;
  return (step) => {
    try {
      step();
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.error('The write-ahead log cannot be moved into the database file.', { error });
      isFailing = true;
    }
  };
}

/** Tracks periods in which another process blocks checkpoints, and logs each once. */
function createPin(log: Log, size: () => number) {
  let since: Date | undefined;
  let isReported = false;
  return {
    since: () => since?.toISOString() ?? null,
    note: (isPinned: boolean) => {
      if (!isPinned) since = undefined;
      if (since === undefined) isReported = false;
      if (!isPinned || isReported) return;
      since ??= new Date();
      const bytes = size();
      if (Date.now() - since.getTime() < REPORT_AFTER_MS && bytes < LARGE_BYTES) return;
      isReported = true;
      const message = 'Another process reads the database, so its write-ahead log grows.';
      log.warn(message, { bytes, since: since.toISOString() });
    },
  };
}
