import { statfsSync } from 'node:fs';

const CHECK_EVERY_MS = 2_000;

/** Tells whether the disk is nearly full. */
export interface DiskSpace {
  /** Whether less than the least free space is left, as of 2 seconds ago at most. */
  isLow(): boolean;
}

export interface DiskSpaceOptions {
  /** A directory on the disk. */
  path: string;
  minFreeBytes: number;
  /** Default: what the system reports. */
  freeBytes?: (path: string) => number;
  /** A clock in milliseconds. */
  now?: () => number;
}

/** Asks the system synchronously: a call takes microseconds, and the thread pool may be busy. */
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
