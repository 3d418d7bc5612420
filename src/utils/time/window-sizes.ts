/** The first window is small: what its rows hold may be large. */
const FIRST_WINDOW = 32;
const GROWTH = 4;
/** A window that took longer is followed by a smaller one, one that took less by a larger one. */
const LONG_MS = 4;
const SHORT_MS = 1;

/** Sizes of windows, at most `most`: larger ones while a window is read quickly. */
export function createSizes(most: number) {
  let size = Math.min(most, FIRST_WINDOW) / GROWTH;
  let tookMs = 0;
  let sinceMs = 0;
  return {
    next: (): number => {
      if (tookMs < SHORT_MS) size = Math.min(most, size * GROWTH);
      else if (tookMs > LONG_MS) size = Math.max(1, size / GROWTH);
      sinceMs = performance.now();
      return Math.ceil(size);
    },
    taken: (): void => {
      tookMs = performance.now() - sinceMs;
    },
  };
}
