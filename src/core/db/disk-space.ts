import { statfsSync } from 'node:fs';

const CHECK_EVERY_MS = 2_000;

/** Detects a nearly full disk. */
export interface DiskSpace {
  /** Returns true if less than `minFreeBytes` are free; at most 2 seconds old. */
  isLow(): boolean;
}

export interface DiskSpaceOptions {
  /** A directory on the disk. */
  path: string;
  minFreeBytes: number;
  /** Default: the value of the operating system. */
  freeBytes?: (path: string) => number;
  /** A clock in milliseconds. */
  now?: () => number;
}

/** Creates a check that calls the system synchronously: this takes microseconds, and the thread pool may be busy. */
export function createDiskSpace(options: DiskSpaceOptions): DiskSpace {
  const {
    path,
    minFreeBytes,
    freeBytes = systemFreeBytes,
    now = () => performance.now(),
  } = options;
  let checkedMs = Number.NEGATIVE_INFINITY;
  let isLow = false;
  return {
    isLow: () => {
      const nowMs = now();
      if (minFreeBytes > 0 && nowMs - checkedMs >= CHECK_EVERY_MS) {
        checkedMs = nowMs;
        isLow = freeBytes(path) < minFreeBytes;
      }
      return isLow;
    },
  };
}

function systemFreeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
