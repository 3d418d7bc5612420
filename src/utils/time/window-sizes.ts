/** The first window is small, because its rows may be large. */
const FIRST_WINDOW = 32;
const GROWTH = 4;
/** A slower window is followed by a smaller one, a faster window by a larger one. */
const LONG_MS = 4;
const SHORT_MS = 1;

/** Creates window sizes of at most `most` rows: they grow while windows are read quickly. */
export function createSizes(most: number, first = FIRST_WINDOW) {
  let size = Math.min(most, first) / GROWTH;
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
