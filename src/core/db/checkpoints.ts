import type { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import type { Log } from '../log.ts';

/** The write-ahead log as statistics show it. Frames are pages of 4 KiB. */
export interface LogState {
  bytes: number;
  frames: number;
  /** How many of them are in the database file. */
  checkpointed_frames: number;
  /** Since when another process keeps it from being moved. */
  pinned_since: string | null;
}

/** Moves the write-ahead log into the database file. */
export interface LogMover {
  /** After a commit: moves the log once it has grown by 4 MiB. */
  afterCommit(): void;
  /**
   * From time to time: moves what is there. Empties the file when nothing was written since the
   * last time or it was not emptied for a while, so that nothing deleted stays in it for long.
   */
  tick(): void;
  /** Moves what is there and empties the file, unless another process reads it. */
  empty(): void;
  state(): LogState;
}

export interface LogMoverOptions {
  path: string;
  log: Log;
  /** The writer's connection, asked between two transactions. */
  client(): Database;
  /** Asked at any time. */
  reader: Database;
}

/** Between two ticks: the log is moved 10 s after the last write at the latest. */
export const TICK_MS = 5_000;
/** As many frames as SQLite itself lets come together: what one step moves is bounded. */
const STEP_FRAMES = 1_000;
/** Under steady writes the log is emptied this often. */
const EMPTY_EVERY_MS = 20_000;
/** A log that cannot be moved is told of once it is this large, or at the next tick. */
const LARGE_BYTES = 16 * 1024 * 1024;
const TOLD_AFTER_MS = TICK_MS - 1_000;

interface Progress {
  isBusy: boolean;
  frames: number;
  moved: number;
}

export function createLogMover({ path, log, client, reader }: LogMoverOptions): LogMover {
  /** Frames at the last attempt: one that could not move all is not repeated at each commit. */
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

/** Runs one of SQLite's checkpoints: NOOP only looks, none of them waits for a lock. */
function checkpoint(client: Database, mode: 'NOOP' | 'PASSIVE' | 'TRUNCATE'): Progress {
  const [row] = client.query(`PRAGMA wal_checkpoint(${mode})`).values() as number[][];
  const [busy = 0, frames = 0, moved = 0] = row ?? [];
  return { isBusy: busy !== 0, frames, moved };
}

/** Runs steps whose failure waits for the next occasion; an episode of failures is one line. */
function createAttempt(log: Log): (step: () => void) => void {
  let isFailing = false;
  return (step) => {
    try {
      step();
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error('The write-ahead log cannot be moved into the file.', { error });
      isFailing = true;
    }
  };
}

/** An episode in which the log cannot be moved as a whole; the log tells of each once. */
function createPin(log: Log, size: () => number) {
  let since: Date | undefined;
  let isTold = false;
  return {
    since: () => since?.toISOString() ?? null,
    note: (isPinned: boolean) => {
      if (!isPinned) since = undefined;
      if (since === undefined) isTold = false;
      if (!isPinned || isTold) return;
      since ??= new Date();
      const bytes = size();
      if (Date.now() - since.getTime() < TOLD_AFTER_MS && bytes < LARGE_BYTES) return;
      isTold = true;
      const message = 'Another process reads the database, and its write-ahead log grows.';
      log.warn(message, { bytes, since: since.toISOString() });
    },
  };
}
